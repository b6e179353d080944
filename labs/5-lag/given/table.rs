//! The table that Kafka's `kafka-consumer-groups --describe` prints, to the last space.

use crate::lag;

/// A partition that a member of a group reads, or of which the group has committed something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub group: String,
    pub topic: String,
    pub partition: i32,
    /// `None`: the group has committed nothing here.
    pub committed: Option<u64>,
    /// The epoch of the leader that the last record read came from, if the commit names one.
    pub leader_epoch: Option<i32>,
    /// `None`: the partition has no leader, or is not there any more.
    pub log_end: Option<u64>,
    /// Who reads it. `None`: nobody does now.
    pub owner: Option<Owner>,
}

/// The member that reads a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    pub member_id: String,
    /// As the coordinator knows it: a slash and the address.
    pub host: String,
    pub client_id: String,
}

impl Row {
    /// The lag, if both its ends are known.
    pub fn lag(&self) -> Option<i64> {
        lag(self.log_end?, self.committed)
    }
}

/// The table: a line of titles, then one for each row. `verbose` adds the leader's epoch.
pub fn describe(rows: &[Row], verbose: bool) -> String {
    use Column::{Fixed, Grows};
    let mut columns = vec![Grows("GROUP", 15), Grows("TOPIC", 15), Fixed("PARTITION", 10)];
    columns.extend(verbose.then_some(Fixed("LEADER-EPOCH", 15)));
    columns.extend([
        Fixed("CURRENT-OFFSET", 15),
        Fixed("LOG-END-OFFSET", 15),
        Fixed("LAG", 15),
        Grows("CONSUMER-ID", 15),
        Grows("HOST", 15),
        Fixed("CLIENT-ID", 0),
    ]);
    let cells = |row: &Row| {
        let mut cells = vec![row.group.clone(), row.topic.clone(), row.partition.to_string()];
        cells.extend(verbose.then(|| cell(row.leader_epoch)));
        cells.extend([cell(row.committed), cell(row.log_end), cell(row.lag())]);
        let owner = row.owner.as_ref();
        cells.extend([
            cell(owner.map(|owner| &owner.member_id)),
            cell(owner.map(|owner| &owner.host)),
            cell(owner.map(|owner| &owner.client_id)),
        ]);
        cells
    };
    table(&columns, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// A column's title and width.
#[derive(Clone, Copy, Debug)]
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

/// The lines: titles, then the rows. Each row has a cell for each column. Cells are padded to their column's width,
/// and a space follows all but the last.
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

/// A value as a cell, or `-`.
pub fn cell(value: Option<impl ToString>) -> String {
    value.map_or(MISSING.to_owned(), |value| value.to_string())
}
