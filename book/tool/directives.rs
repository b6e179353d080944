//! The inclusions that mdBook does not have: a lab's hints, folded, and its predictions.

use std::path::Path;

use serde::Deserialize;

use crate::Result;
use crate::source::{Line, Place};

/// Folds each part under a `###` heading; its summary is the heading. A title (`#`) is left out: the
/// page that includes the file has its own.
pub fn folded(lines: Vec<Line>) -> Vec<Line> {
    let mut out = Vec::new();
    let mut open = false;
    for line in lines {
        let add = |out: &mut Vec<Line>, text: String| out.push(Line { at: line.at.clone(), text });
        let level = line.text.bytes().take_while(|&byte| byte == b'#').count();
        let heading = line.text[level..].strip_prefix(' ').filter(|_| (1..=3).contains(&level));
        let Some(heading) = heading else {
            out.push(line);
            continue;
        };
        if std::mem::take(&mut open) {
            add(&mut out, "\n</details>\n".into());
        }
        match level {
            1 => {}
            2 => add(&mut out, format!("#{}", line.text)),
            _ => {
                open = true;
                add(&mut out, format!("<details><summary>{heading}</summary>\n"));
            }
        }
    }
    if let Some(at) = out.last().map(|line| line.at.clone()).filter(|_| open) {
        out.push(Line { at, text: "\n</details>\n".into() });
    }
    out
}

#[derive(Deserialize)]
struct Predictions {
    predict: Vec<Prediction>,
}

#[derive(Deserialize)]
struct Prediction {
    id: String,
    question: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    why: String,
}

/// The questions of a `predict.toml`; where it has answers, they are folded below.
pub fn questions(file: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(file)?;
    let predictions: Predictions = toml::from_str(&text)?;
    let mut out = Vec::new();
    for Prediction { id, question, answer, why } in predictions.predict {
        let number = text.lines().position(|line| line.contains(&id)).unwrap_or(0) + 1;
        let mut add = |text: &str| {
            let at = Place { file: file.to_path_buf(), line: number };
            out.extend(text.lines().map(|line| Line { at: at.clone(), text: line.into() }));
        };
        add(&format!("\n<div class=\"guess\">\n\n**{id}.** {}\n\n</div>\n", question.trim()));
        if !why.trim().is_empty() {
            add(&format!("<details><summary>The answer to {id}</summary>\n"));
            add(&format!("\n**{}.** {}\n\n</details>\n", answer.trim(), why.trim()));
        }
    }
    Ok(out)
}
