//! What the book's own tool gets wrong most easily: where an inclusion begins and ends, and what counts as a mistake.

use std::fs;
use std::path::Path;

use crate::commands::Commands;
use crate::source::{self, Page};
use crate::{check, directives, render};

/// Reads pages from a folder that holds these files.
fn read(files: &[(&str, &str)]) -> (Vec<Page>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (pages, problems) = source::read_all(&dir.path().join("src")).unwrap();
    let short = |problem: &source::Problem| {
        let file = problem.at.file.strip_prefix(dir.path()).unwrap();
        format!("{}:{}: {}", file.display(), problem.at.line, problem.what)
    };
    (pages, problems.iter().map(short).collect())
}

fn included(target: &str, name: &str, text: &str) -> String {
    let page = format!("before\n{{{{#include ../{target}}}}}\nafter");
    let (pages, problems) = read(&[("src/page.md", &page), (name, text)]);
    assert_eq!(problems, Vec::<String>::new());
    pages[0].text().trim_start_matches("before\n").trim_end_matches("\nafter").to_string()
}

#[test]
fn an_inclusion_is_a_file_an_anchor_or_some_lines() {
    let code =
        "a\n// ANCHOR: one\nb\n// ANCHOR: two\nc\n// ANCHOR_END: two\n// ANCHOR_END: one\nd\n";
    assert_eq!(included("x.rs:one", "x.rs", code), "b\nc");
    assert_eq!(included("x.rs:two", "x.rs", code), "c");
    assert_eq!(included("x.txt", "x.txt", "a\nb\n"), "a\nb");
    assert_eq!(included("x.txt:2", "x.txt", "a\nb\nc\n"), "b");
    assert_eq!(included("x.txt:2:", "x.txt", "a\nb\nc\n"), "b\nc");
}

#[test]
fn of_a_snapshot_only_what_was_recorded() {
    let snapshot = "---\nsource: tests/x.rs\nexpression: x\n---\nopen\n  log 0 to 0\n";
    assert_eq!(included("x.snap", "x.snap", snapshot), "open\n  log 0 to 0");
    assert_eq!(included("x.txt", "x.txt", "---\nno head\n---\n"), "---\nno head\n---");
}

#[test]
fn an_inclusion_that_finds_nothing_is_named_where_it_stands() {
    let page = "one\n{{#include ../gone.txt}}\n{{#include ../x.rs:gone}}\n{{#include page.md}}\n";
    let (_, problems) = read(&[("src/page.md", page), ("x.rs", "code\n")]);
    assert_eq!(problems[0], "src/page.md:2: `../gone.txt` does not exist");
    assert_eq!(problems[1], "src/page.md:3: `../x.rs:gone` includes nothing");
    assert!(problems.iter().any(|problem| problem.ends_with("round in a circle")), "{problems:?}");
}

#[test]
fn hints_are_folded_under_their_headings() {
    let hints = "# Hints\n\n## Step 1\n### Hint 1\nLook.\n### Hint 2\nLook there.\n## Step 2\n";
    let (pages, _) = read(&[("src/page.md", "{{#fold ../hints.md}}"), ("hints.md", hints)]);
    let text = pages[0].text();
    assert!(!text.contains("# Hints\n"), "{text}");
    assert_eq!(text.matches("<details><summary>Hint").count(), 2);
    assert_eq!(text.matches("</details>").count(), 2);
    assert!(text.find("</details>").unwrap() < text.find("Hint 2").unwrap(), "{text}");
}

#[test]
fn questions_show_answers_only_where_there_are_any() {
    let ask = |answer: &str| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("predict.toml");
        let text = format!("[[predict]]\nid = \"P1.1\"\nquestion = \"How many?\"\n{answer}");
        fs::write(&file, text).unwrap();
        let lines = directives::questions(&file).unwrap();
        lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>().join("\n")
    };
    assert!(ask("answer = \"\"").contains("**P1.1.** How many?"));
    assert!(!ask("answer = \"\"").contains("details"));
    assert!(ask("answer = \"4\"\nwhy = \"So.\"").contains("**4.** So."));
}

#[test]
fn rule_ids_are_found_in_prose() {
    let found: Vec<_> = check::rule_ids("(R1.2), R1.10. Not xR1.3, R1, AR2.1 nor R1.x").collect();
    assert_eq!(found, ["R1.2", "R1.10"]);
}

#[test]
fn commands_of_the_kit_are_known_and_others_are_not() {
    let commands = Commands::read(render::workspace()).unwrap();
    for good in [
        "cargo test -p offset-log step_1",
        "cargo workshop grade --json",
        "cargo run -p mini-broker -- serve --port-file x",
        "seq 3 | kcat -P",
        "cargo run -p book -- serve --port 0",
        "cargo mini-broker dump-log --print-data-log --files x",
    ] {
        assert_eq!(commands.know(good), Ok(()), "{good}");
    }
    for bad in [
        "cargo test -p offset-logs",
        "cargo test -p offset-log step_99",
        "cargo workshop gradee",
        "cargo run -p mini-broker -- serve --prt 3",
        "cargo mini-broker dump_log",
        "seq 3 | cargo mini-broker produce --topik x",
    ] {
        assert!(commands.know(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_book_stands() {
    let (pages, problems) = source::read_all(Path::new(&render::pages())).unwrap();
    assert!(problems.is_empty() && pages.len() > 5);
}
