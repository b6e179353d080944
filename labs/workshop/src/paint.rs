//! Lines made of styled words, for the screen and for plain output alike.
//!
//! Only the terminal's own sixteen colours are used, and never black or white by name: they follow the reader's theme.

use std::io::IsTerminal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Bold,
    Dim,
    /// Done.
    Good,
    /// Red tests.
    Bad,
    /// The thing to do next, and what to type.
    Mark,
    /// Keys and headings of the screen.
    Bar,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Mark => "\x1b[1;36m",
            Self::Bar => "\x1b[7m",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line(pub Vec<(Style, String)>);

impl Line {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    pub fn plain(self, text: impl Into<String>) -> Self {
        self.with(Style::Plain, text)
    }

    pub fn dim(self, text: impl Into<String>) -> Self {
        self.with(Style::Dim, text)
    }

    pub fn bold(self, text: impl Into<String>) -> Self {
        self.with(Style::Bold, text)
    }

    pub fn mark(self, text: impl Into<String>) -> Self {
        self.with(Style::Mark, text)
    }

    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// Spaces up to a column.
    pub fn to(self, column: usize) -> Self {
        let width = self.width();
        self.plain(" ".repeat(column.saturating_sub(width)))
    }

    /// The text alone.
    pub fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// With the terminal's codes, cut to a width.
    pub fn painted(&self, width: usize) -> String {
        let mut out = String::new();
        let mut left = width;
        let cut = self.width() > width;
        for (style, text) in &self.0 {
            let shown: String = text.chars().take(left.saturating_sub(usize::from(cut))).collect();
            left -= shown.chars().count().min(left);
            if shown.is_empty() {
                continue;
            }
            match style.code() {
                "" => out.push_str(&shown),
                code => out.extend([code, &shown, "\x1b[0m"]),
            }
        }
        if cut && width > 0 {
            out.push('…');
        }
        out
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::new().plain(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new().plain(text)
    }
}

/// Prints lines, with colours where a person reads them.
pub fn print(lines: &[Line]) {
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    for line in lines {
        if colours {
            say(&line.painted(usize::MAX));
        } else {
            say(&line.text());
        }
    }
}

/// Prints a line. A reader who has closed the pipe (`| head`) has seen enough.
pub fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{}", text.trim_end_matches(' ')).is_err() {
        std::process::exit(0);
    }
}

/// Joins the lines of each paragraph, for a text whose line breaks are only its source's.
pub fn reflow(text: &str) -> String {
    let starts_anew = |line: &str| {
        let mut letters = line.chars();
        let first = letters.next().unwrap_or(' ');
        first.is_whitespace()
            || matches!(first, '-' | '*' | '|' | '#' | '>')
            || line.starts_with("```")
            || (first.is_ascii_digit() && letters.next() == Some('.'))
    };
    let mut lines: Vec<String> = Vec::new();
    let mut prose = false;
    let mut code = false;
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        match lines.last_mut() {
            Some(last) if prose && !line.trim().is_empty() && !starts_anew(line) => {
                last.push(' ');
                last.push_str(line.trim_end());
            }
            _ => lines.push(line.trim_end().to_owned()),
        }
        code ^= fence;
        prose = !code && !fence && !line.trim().is_empty() && !line.starts_with([' ', '|', '#']);
    }
    lines.join("\n")
}

/// Breaks a text into lines of a width, at spaces. Its own line breaks stay.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(10);
    let mut lines = Vec::new();
    for line in text.lines() {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let mut current = String::new();
        for word in line.split_whitespace() {
            let length = current.chars().count() + 1 + word.chars().count();
            if !current.trim().is_empty() && length > width {
                lines.push(std::mem::take(&mut current));
            }
            if current.trim().is_empty() {
                current.clone_from(&indent);
            } else {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines
}
