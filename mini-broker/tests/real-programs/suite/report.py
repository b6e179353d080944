"""Counts checks, keeps the failures, prints the tables."""

import sys
import threading


class Report:
    def __init__(self):
        self.passed = 0
        self.failures = []
        self.notes = []
        self.cells = {}
        self.lock = threading.Lock()

    def expect(self, where):
        """Gives a cell its place in its table before its first check."""
        with self.lock:
            self.cells.setdefault(where, (0, 0))

    def check(self, where, ok, detail=""):
        """One check. `where` is (table, row, column); its cell shows how many of its checks passed."""
        with self.lock:
            good, all_of = self.cells.get(where, (0, 0))
            self.cells[where] = (good + bool(ok), all_of + 1)
            if ok:
                self.passed += 1
            else:
                self.failures.append((where, detail))
                print(f"FAILED {' / '.join(where)}: {detail}", file=sys.stderr)
        return ok

    def note(self, text):
        """Something measured that is neither right nor wrong, printed below the tables."""
        with self.lock:
            self.notes.append(text)

    def tables(self):
        names = list(dict.fromkeys(table for table, _, _ in self.cells))
        return "\n\n".join(self.table(name) for name in names)

    def table(self, name):
        rows = list(dict.fromkeys(row for table, row, _ in self.cells if table == name))
        columns = list(dict.fromkeys(column for table, _, column in self.cells if table == name))
        width = max(len(row) for row in [*rows, name]) + 2
        widths = [max(len(column), 9) + 2 for column in columns]
        lines = [name.ljust(width) + "".join(c.rjust(w) for c, w in zip(columns, widths))]
        for row in rows:
            cells = [self.cell((name, row, column)).rjust(w) for column, w in zip(columns, widths)]
            lines.append(row.ljust(width) + "".join(cells))
        return "\n".join(lines)

    def cell(self, where):
        good, all_of = self.cells.get(where, (0, 0))
        if all_of == 0:
            return "-"
        if good == all_of:
            return "ok" if all_of == 1 else f"{good} ok"
        return f"{good}/{all_of} !!"
