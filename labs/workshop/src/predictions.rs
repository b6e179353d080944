//! `predict.toml`: questions answered before coding. An answer counts as answered, never as right or wrong.
//!
//! Writing an answer replaces the characters of one value, so that a reader's own comments and spacing stay.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    pub id: String,
    pub question: String,
    pub answer: String,
    /// Only in the solution's file.
    pub why: String,
    /// Where the answer's value stands in the file, quotes included.
    span: Range<usize>,
    /// The line of the answer, from 1.
    pub line: usize,
}

impl Prediction {
    pub fn is_answered(&self) -> bool {
        !self.answer.trim().is_empty()
    }
}

/// Reads a file's predictions, or says in one line why it cannot.
pub fn parse(text: &str) -> Result<Vec<Prediction>, String> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        format!("line {line}: {}", error.message())
    })?;
    let Some(list) = table.get_ref().get("predict") else { return Ok(Vec::new()) };
    let Some(list) = list.get_ref().as_array() else {
        return Err("want [[predict]] tables".to_owned());
    };
    list.iter().map(|item| prediction(text, item)).collect()
}

fn prediction(text: &str, item: &Spanned<DeValue<'_>>) -> Result<Prediction, String> {
    let line = line_of(text, item.span().start);
    let Some(table) = item.get_ref().as_table() else {
        return Err(format!("line {line}: want a [[predict]] table"));
    };
    let word = |key: &str| -> String {
        table.get(key).map(|value| plain(value.get_ref())).unwrap_or_default().trim().to_owned()
    };
    let Some(answer) = table.get("answer") else {
        return Err(format!("line {line}: a prediction without an answer = \"\""));
    };
    Ok(Prediction {
        id: word("id"),
        question: word("question"),
        answer: word("answer"),
        why: word("why"),
        span: answer.span(),
        line: line_of(text, answer.span().start),
    })
}

/// A reader may write `answer = 7` as well as `answer = "7"`.
fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        _ => String::new(),
    }
}

/// The file's text with another answer to one prediction.
pub fn with_answer(text: &str, prediction: &Prediction, answer: &str) -> String {
    let mut value = String::from("\"");
    for c in answer.trim().chars() {
        match c {
            '"' | '\\' => value.extend(['\\', c]),
            '\t' => value.push(' '),
            c if c.is_control() => {}
            c => value.push(c),
        }
    }
    value.push('"');
    let mut text = text.to_owned();
    text.replace_range(prediction.span.clone(), &value);
    text
}

fn line_of(text: &str, position: usize) -> usize {
    text.as_bytes()[..position.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1
}
