//! `--command-config FILE`: settings of the client, as Kafka's tools read them from a file.
//!
//! Most of them are about logging in and encryption, which are not spoken here. Such a setting is
//! refused rather than left unread.

use std::fs;
use std::path::Path;

use crate::cli::Failure;

/// The client's id, from the file or our own.
pub fn client_id(file: Option<&Path>) -> Result<String, Failure> {
    let Some(file) = file else { return Ok("mini-broker".to_owned()) };
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    parse(&text).map_err(|why| Failure::new(format!("{name}: {why}")))
}

/// Lines of `name=value`; `#` and `!` begin a comment.
fn parse(text: &str) -> Result<String, String> {
    let mut client_id = "mini-broker".to_owned();
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let Some((name, value)) = line.split_once(['=', ':']) else {
            return Err(format!("line {}, `{line}`: expected NAME=VALUE", index + 1));
        };
        match (name.trim(), value.trim()) {
            ("client.id", id) => client_id = id.to_owned(),
            // Kafka's tool takes the flag, too.
            ("bootstrap.servers", _) | ("security.protocol", "PLAINTEXT") => {}
            (name, value) => {
                return Err(format!(
                    "line {}, `{name}={value}`: expected client.id, or security.protocol=PLAINTEXT",
                    index + 1
                ));
            }
        }
    }
    Ok(client_id)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_file_may_name_the_client() {
        assert_eq!(parse("").unwrap(), "mini-broker");
        let text = "# mine\n\nclient.id = night shift\nbootstrap.servers=elsewhere:1\n";
        assert_eq!(parse(text).unwrap(), "night shift");
        assert!(parse("client.id").unwrap_err().starts_with("line 1, `client.id`: expected"));
        let said = parse("\nsecurity.protocol=SASL_SSL").unwrap_err();
        assert!(said.starts_with("line 2, `security.protocol=SASL_SSL`: expected"), "{said}");
    }
}
