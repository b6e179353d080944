//! How a message is printed: `DefaultMessageFormatter` in Kafka.

use std::io::{self, Write};

use crate::cli::Failure;
use crate::records::{Header, Record};

pub struct Formatter {
    timestamp: bool,
    partition: bool,
    offset: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: String,
    headers_separator: String,
    line_separator: String,
    null: String,
}

impl Formatter {
    pub fn new(properties: &[(String, String)]) -> Result<Self, Failure> {
        let mut formatter = Formatter {
            timestamp: false,
            partition: false,
            offset: false,
            headers: false,
            key: false,
            value: true,
            key_separator: "\t".to_owned(),
            headers_separator: ",".to_owned(),
            line_separator: "\n".to_owned(),
            null: "null".to_owned(),
        };
        for (name, value) in properties {
            let yes = value.trim().eq_ignore_ascii_case("true");
            let value = value.clone();
            match &name[..] {
                "print.timestamp" => formatter.timestamp = yes,
                "print.partition" => formatter.partition = yes,
                "print.offset" => formatter.offset = yes,
                "print.headers" => formatter.headers = yes,
                "print.key" => formatter.key = yes,
                "print.value" => formatter.value = yes,
                "key.separator" => formatter.key_separator = value,
                "headers.separator" => formatter.headers_separator = value,
                "line.separator" => formatter.line_separator = value,
                "null.literal" => formatter.null = value,
                _ => {
                    return Err(Failure::new(format!(
                        "property `{name}` is unknown: expected print.timestamp, print.partition, \
                         print.offset, print.headers, print.key, print.value, key.separator, \
                         headers.separator, line.separator or null.literal"
                    )));
                }
            }
        }
        Ok(formatter)
    }

    pub fn print(
        &self,
        partition: i32,
        header: &Header,
        record: &Record<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let mut columns = Columns { separator: &self.key_separator, first: true, out };
        if self.timestamp {
            let kind = if header.is_log_append_time() { "LogAppendTime" } else { "CreateTime" };
            write!(columns.next()?, "{kind}:{}", record.timestamp)?;
        }
        if self.partition {
            write!(columns.next()?, "Partition:{partition}")?;
        }
        if self.offset {
            write!(columns.next()?, "Offset:{}", record.offset)?;
        }
        if self.headers {
            self.print_headers(record, columns.next()?)?;
        }
        if self.key {
            columns.next()?.write_all(record.key.unwrap_or(self.null.as_bytes()))?;
        }
        if self.value {
            columns.next()?.write_all(record.value.unwrap_or(self.null.as_bytes()))?;
        }
        out.write_all(self.line_separator.as_bytes())
    }

    fn print_headers(&self, record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
        if record.headers.is_empty() {
            return out.write_all(b"NO_HEADERS");
        }
        for (index, (name, value)) in record.headers.iter().enumerate() {
            if index > 0 {
                out.write_all(self.headers_separator.as_bytes())?;
            }
            out.write_all(name)?;
            out.write_all(b":")?;
            out.write_all(value.unwrap_or(self.null.as_bytes()))?;
        }
        Ok(())
    }
}

struct Columns<'a, W> {
    separator: &'a str,
    first: bool,
    out: &'a mut W,
}

impl<W: Write> Columns<'_, W> {
    /// The writer for the next column, after a separator if there was one before.
    fn next(&mut self) -> io::Result<&mut W> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(self.separator.as_bytes())?;
        }
        Ok(self.out)
    }
}
