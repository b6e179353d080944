//! Before something is changed it is said what will be sent, and what would do the same at the prompt.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use wire::SUPPORTED;

use super::{Frame, Site, html};
use crate::http::{Problem, guard};

/// What comes along with every form that changes something.
#[derive(Deserialize)]
pub struct Confirmed {
    #[serde(default)]
    form_key: String,
    #[serde(default)]
    confirmed: String,
}

impl Confirmed {
    /// The form is one of ours.
    pub fn check(&self, site: &Site) -> Result<(), Problem> {
        match guard::same(&self.form_key, &site.guard.form_key) {
            true => Ok(()),
            false => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this form is not from a page of this server, or from before its last start; go \
                 back, load the page again, and repeat it",
            )),
        }
    }

    /// It was said what will be done, and that is wanted.
    pub fn is(&self) -> bool {
        self.confirmed == "yes"
    }
}

/// One of Kafka's API calls.
pub struct Action {
    pub api: &'static str,
    /// The request, field by field.
    pub call: String,
    /// The arguments of our command that does the same.
    pub twin: Vec<String>,
    /// What is piped into it: a line, as a shell writes it.
    pub line: String,
}

pub struct Confirm {
    pub room: &'static str,
    pub title: String,
    pub sentence: String,
    pub action: Action,
    pub to: String,
    /// What the form said, for its second time.
    pub fields: Vec<(&'static str, String)>,
    pub yes: &'static str,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page {
    frame: Frame,
    sentence: String,
    api: &'static str,
    key: i16,
    call: String,
    twin: String,
    to: String,
    fields: Vec<(&'static str, String)>,
    yes: &'static str,
}

impl Site {
    pub fn confirm(self: &Arc<Self>, confirm: Confirm) -> Result<Response, Problem> {
        let Confirm { room, title, sentence, action, to, fields, yes } = confirm;
        let range = SUPPORTED.iter().find(|range| range.name == action.api);
        let server = ["--bootstrap-server".to_owned(), self.bootstrap.clone()];
        let (command, rest) = action.twin.split_at(1);
        let words = command.iter().chain(&server).chain(rest).map(|word| quoted(word));
        let pipe = match action.line.is_empty() {
            true => String::new(),
            false => format!("printf '%s\\n' {} | ", action.line),
        };
        html(&Page {
            frame: self.frame(room, title, ""),
            sentence,
            api: action.api,
            key: range.map_or(-1, |range| range.key),
            call: action.call,
            twin: format!("{pipe}cargo mini-broker {}", words.collect::<Vec<_>>().join(" ")),
            to,
            fields,
            yes,
        })
    }
}

/// As a shell takes it for one word.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:=/+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_twin_can_be_pasted() {
        assert_eq!(quoted("orders"), "orders");
        assert_eq!(quoted("it's here; rm -rf"), "'it'\\''s here; rm -rf'");
        assert_eq!(quoted(""), "''");
    }
}
