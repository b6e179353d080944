//! Tables as Kafka's tool lays them out: each column is padded to its width and followed by a space.

/// A column's title and width.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// As wide as its widest cell, and at least so wide.
    Grows(&'static str, usize),
    /// Always so wide; what is longer pushes the rest of its line.
    Fixed(&'static str, usize),
}

impl Column {
    fn title(self) -> &'static str {
        let (Column::Grows(title, _) | Column::Fixed(title, _)) = self;
        title
    }
}

/// The lines: titles, then the rows. Each row has a cell for each column.
pub fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    let width = |(index, column): (usize, &Column)| match *column {
        Column::Fixed(_, width) => width,
        Column::Grows(_, least) => {
            let widest = rows.iter().map(|row| row[index].chars().count()).max();
            least.max(widest.unwrap_or_default())
        }
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(width).collect();
    let titles = columns.iter().map(|column| column.title().to_owned()).collect();
    let mut lines = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        lines.push_str(&cells.collect::<Vec<_>>().join(" "));
        lines.push('\n');
    }
    lines
}

/// What a cell holds where there is nothing to say.
pub const MISSING: &str = "-";

pub fn cell(value: Option<impl ToString>) -> String {
    value.map_or(MISSING.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Column, cell, table};

    #[test]
    fn columns_are_padded() {
        let columns = [Column::Grows("A", 3), Column::Fixed("B", 2), Column::Fixed("C", 0)];
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        assert_eq!(table(&columns, &[]), "A   B  C\n");
        assert_eq!(
            table(&columns, &[row(["long", "x", "1"]), row(["s", "wide", "-"])]),
            "A    B  C\nlong x  1\ns    wide -\n"
        );
        assert_eq!(cell(None::<i64>), "-");
        assert_eq!(cell(Some(7)), "7");
    }
}
