//! What must be true of the pages before anybody reads them. Every finding names its file and line.
//!
//! Not looked at: pages of other people. A check that needs the network fails for the wrong reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};

use crate::commands::Commands;
use crate::source::{self, Page, Place, Problem};
use crate::{Result, render};

/// The parts of a chapter, in order. A chapter is a page whose file name begins with a lab's number.
const FRAME: [&str; 12] = [
    "The incident",
    "What you will be able to do",
    "The idea",
    "The rules",
    "Predict",
    "Build",
    "See it",
    "Break it",
    "In real Kafka",
    "Check yourself",
    "Plug it in",
    "For the facilitator",
];
const MAX_IDEA_WORDS: usize = 600;

pub fn check() -> Result<()> {
    let (pages, mut problems) = source::read_all(&render::pages())?;
    problems.extend(not_in_summary(&pages));
    // Building would only say the same again about an inclusion that finds nothing.
    if problems.is_empty() {
        let site = tempfile::tempdir()?;
        render::build(site.path())?;
        problems.extend(loaded_from_elsewhere(site.path())?);
        let book = Book::read(&pages, site.path())?;
        for page in &pages {
            book.check(page, &mut problems);
        }
    }
    problems.sort();
    problems.dedup();
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.len() {
        0 => {
            println!("{} pages, everything in them resolves", pages.len());
            Ok(())
        }
        found => Err(format!("{found} to mend").into()),
    }
}

/// What the pages may refer to.
struct Book {
    /// Page → the ids in its HTML.
    ids: BTreeMap<PathBuf, BTreeSet<String>>,
    /// Lab number → the rules it states.
    rules: BTreeMap<String, String>,
    commands: Commands,
}

impl Book {
    fn read(pages: &[Page], site: &Path) -> Result<Book> {
        let mut ids = BTreeMap::new();
        for page in pages {
            let name = page.path.strip_prefix(render::pages())?.with_extension("html");
            let Ok(html) = std::fs::read_to_string(site.join(name)) else { continue };
            ids.insert(page.path.clone(), values_of("id", &html).map(String::from).collect());
        }
        let mut rules = BTreeMap::new();
        for entry in std::fs::read_dir(render::workspace().join("labs"))? {
            let lab = entry?;
            let name = lab.file_name().to_string_lossy().into_owned();
            let number = name.split('-').next().unwrap_or_default().to_string();
            if let Ok(text) = std::fs::read_to_string(lab.path().join("rules.md")) {
                rules.insert(number, text);
            }
        }
        Ok(Book { ids, rules, commands: Commands::read(render::workspace())? })
    }

    fn check(&self, page: &Page, problems: &mut Vec<Problem>) {
        let text = page.text();
        let mut say = |at: Place, what: String| problems.push(Problem { at, what });
        for line in &page.lines {
            for rule in rule_ids(&line.text) {
                if !self.states(rule) {
                    say(line.at.clone(), format!("no lab states the rule {rule}"));
                }
            }
        }
        let mut block: Option<String> = None;
        let mut alt: Option<usize> = None;
        let parser = new_cmark_parser(&text, &MarkdownOptions::default());
        for (event, range) in parser.into_offset_iter() {
            let here = || page.place_of(range.start);
            match event {
                Event::Start(Tag::Link { dest_url, .. }) => {
                    if let Err(what) = self.resolves(page, &dest_url) {
                        say(here(), what);
                    }
                }
                Event::Start(Tag::Image { dest_url, .. }) => {
                    alt = Some(0);
                    if let Err(what) = self.resolves(page, &dest_url) {
                        say(here(), what);
                    }
                    if dest_url.starts_with("http") {
                        say(here(), format!("the picture {dest_url} is not in the book"));
                    }
                }
                Event::End(TagEnd::Image) if alt.take() == Some(0) => {
                    say(here(), "this picture has no words for those who cannot see it".into());
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    for target in values_of("href", &html).chain(values_of("src", &html)) {
                        if let Err(what) = self.resolves(page, target) {
                            say(here(), what);
                        }
                    }
                    if html.contains("<svg") && !text[range.start..].contains("<title") {
                        say(here(), "this picture has no title".into());
                    }
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    block = Some(info.split([',', ' ']).next().unwrap_or("").to_string());
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                    block = Some("console".into());
                }
                Event::End(TagEnd::CodeBlock) => block = None,
                Event::Text(code) if block.as_deref() == Some("console") => {
                    for (offset, line) in lines_with_offsets(&code) {
                        let line = line.trim_start();
                        let command = line.strip_prefix("$ ").unwrap_or(line);
                        if let Err(what) = self.commands.know(command) {
                            say(page.place_of(range.start + offset), what);
                        }
                    }
                }
                Event::Text(words) if block.is_none() && words.starts_with("$ ") => {
                    say(here(), "a command that is not in a block: put it between fences".into());
                }
                Event::Text(words) => {
                    alt = alt.map(|length| length + words.trim().len());
                }
                Event::Code(code) if !code.contains('…') => {
                    if let Err(what) = self.commands.know(&code) {
                        say(here(), what);
                    }
                }
                _ => {}
            }
        }
        check_frame(page, &mut say);
    }

    fn states(&self, rule: &str) -> bool {
        let number = rule[1..].split('.').next().unwrap_or_default();
        self.rules.get(number).is_some_and(|text| text.contains(&format!("**{rule}**")))
    }

    /// Whether a link leads somewhere: to a page of the book, an anchor in it, a file beside it, or out.
    fn resolves(&self, page: &Page, target: &str) -> std::result::Result<(), String> {
        if target.contains("://") || target.starts_with("mailto:") {
            return Ok(());
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let file = match path {
            "" => page.path.clone(),
            _ => source::normal(&page.path.parent().expect("a page has a folder").join(path)),
        };
        let Some(ids) = self.ids.get(&file) else {
            return match file.is_file() && file.starts_with(render::pages()) {
                true => Ok(()),
                false => Err(format!("the link to `{target}` leads nowhere")),
            };
        };
        match anchor.is_empty() || ids.contains(anchor) {
            true => Ok(()),
            false => Err(format!("the link to `{target}` finds no such anchor")),
        }
    }
}

/// A page nobody can reach by the table of contents is no page of the book.
fn not_in_summary(pages: &[Page]) -> Vec<Problem> {
    let named = |page: &Page| page.path.file_name().is_some_and(|name| name == "SUMMARY.md");
    let Some(summary) = pages.iter().find(|page| named(page)).map(Page::text) else {
        return Vec::new();
    };
    let missing = pages.iter().filter(|page| !named(page)).filter(|page| {
        let name = page.path.strip_prefix(render::pages()).unwrap_or(&page.path);
        !summary.contains(&format!("({})", name.display()))
    });
    missing
        .map(|page| Problem {
            at: Place { file: page.path.clone(), line: 1 },
            what: "SUMMARY.md does not lead here".into(),
        })
        .collect()
}

/// A room's Wi-Fi is bad, and a reader's business is their own: pages load nothing from elsewhere.
fn loaded_from_elsewhere(site: &Path) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in source::files_below(site)? {
        let bad: &[&str] = match file.extension().and_then(|e| e.to_str()) {
            Some("html") => &["src=\"http", "src=\"//", "<link rel=\"stylesheet\" href=\"http"],
            Some("css") => &["url(http", "url(\"http", "url('http", "@import \"http"],
            _ => continue,
        };
        for (index, line) in std::fs::read_to_string(&file)?.lines().enumerate() {
            if let Some(bad) = bad.iter().find(|bad| line.contains(**bad)) {
                problems.push(Problem {
                    at: Place { file: file.strip_prefix(site)?.to_path_buf(), line: index + 1 },
                    what: format!("loads from the network: {bad}…"),
                });
            }
        }
    }
    Ok(problems)
}

/// A chapter has its twelve parts in order, and an idea that can be read in one sitting.
fn check_frame(page: &Page, say: &mut impl FnMut(Place, String)) {
    let name = page.path.file_name().unwrap_or_default().to_string_lossy();
    if !name.starts_with(|c: char| c.is_ascii_digit()) {
        return;
    }
    // What is included has headings of its own, but the frame is the page's.
    let own = page.lines.iter().filter(|line| line.at.file == page.path);
    let headings: Vec<_> = own
        .filter_map(|line| Some((line.text.strip_prefix("## ")?, &line.at)))
        .map(|(heading, at)| (heading.split(" {").next().unwrap_or(heading).trim(), at))
        .collect();
    let found: Vec<_> = headings.iter().map(|(heading, _)| *heading).collect();
    if found != FRAME {
        let at = headings.first().map_or(page.lines[0].at.clone(), |(_, at)| (*at).clone());
        say(at, format!("a chapter's parts are {FRAME:?}, these are {found:?}"));
        return;
    }
    let words = idea_words(page);
    if words > MAX_IDEA_WORDS {
        let (_, at) = headings[2];
        say(at.clone(), format!("the idea has {words} words, {MAX_IDEA_WORDS} are enough"));
    }
}

/// The words of a chapter's idea, without its picture and its tables of figures.
fn idea_words(page: &Page) -> usize {
    let mut lines = page.lines.iter().map(|line| line.text.as_str());
    let idea = lines.by_ref().skip_while(|line| *line != "## The idea").skip(1);
    let (mut words, mut picture, mut fenced) = (0, false, false);
    for line in idea.take_while(|line| !line.starts_with("## ")) {
        picture |= line.contains("<svg");
        fenced ^= line.starts_with("```");
        if !picture && !fenced && !line.starts_with('|') {
            words += line.split_whitespace().count();
        }
        picture &= !line.contains("</svg>");
    }
    words
}

/// The values of an attribute in HTML, e.g. every `id="…"`.
fn values_of<'a>(attribute: &str, html: &'a str) -> impl Iterator<Item = &'a str> {
    let marker = format!(" {attribute}=\"");
    let mut rest = html;
    std::iter::from_fn(move || {
        rest = rest.split_once(&marker)?.1;
        let (value, tail) = rest.split_once('"')?;
        rest = tail;
        Some(value)
    })
}

/// Rule ids as `R1.2`, not part of a longer word.
pub fn rule_ids(line: &str) -> impl Iterator<Item = &str> {
    let part_of_id = |c: char| !(c.is_alphanumeric() || c == '.');
    line.split(part_of_id).map(|word| word.trim_end_matches('.')).filter(|word| {
        let numbers = word.strip_prefix('R').and_then(|rest| rest.split_once('.'));
        numbers.is_some_and(|(lab, rule)| lab.parse::<u32>().is_ok() && rule.parse::<u32>().is_ok())
    })
}

fn lines_with_offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line.trim_end())
    })
}
