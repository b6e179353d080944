//! Labs, starters, predictions and resets: what is read from files and written to them.

use workshop::lab::{Lab, rule_ids, steps};
use workshop::predictions::{parse, with_answer};
use workshop::starter::{bodies, starter, todos, with_body};
use workshop::{commands::reset, source};

use crate::{copied, fixture, kit};

fn solution() -> String {
    std::fs::read_to_string(fixture().join("solutions/1-counter/src/lib.rs")).unwrap()
}

fn starter_text() -> String {
    std::fs::read_to_string(fixture().join("labs/1-counter/src/lib.rs")).unwrap()
}

#[test]
fn a_lab_is_found_by_its_folder() {
    let kit = kit();
    let names: Vec<&str> = kit.labs.iter().map(|lab| lab.name.as_str()).collect();
    assert_eq!(names, ["counter", "half-written"]);
    for word in ["counter", "1", "1-counter", "labs/1-counter/"] {
        assert_eq!(kit.lab(word).unwrap().name, "counter");
    }
    let sentence = kit.lab("acks").unwrap_err().text;
    assert_eq!(sentence, "There is no lab \"acks\". There are: counter, half-written.");
}

#[test]
fn the_readme_holds_the_steps() {
    let lab = &kit().labs[0];
    assert_eq!(lab.about, "How many were there?");
    assert_eq!(lab.minutes(), 25);
    let facts: Vec<_> = lab
        .steps
        .iter()
        .map(|s| (s.number, s.title.as_str(), s.minutes, s.lines, s.core, s.rules.len()))
        .collect();
    assert_eq!(facts, [(1, "Count one", 10, 1, true, 1), (2, "Take some away", 15, 2, false, 2)]);
    assert!(lab.steps[1].text.starts_with("Write the body of `taken`."));
    assert!(lab.steps[1].text.ends_with("```"), "{}", lab.steps[1].text);
    assert_eq!(lab.hints[&1].len(), 3);
    assert_eq!(lab.hints[&2][2], "`saturating_sub`.");
}

#[test]
fn a_half_written_lab_says_what_is_wrong_and_leaves_the_others() {
    let kit = kit();
    let lab = &kit.labs[1];
    assert!(lab.steps.is_empty());
    assert_eq!(lab.troubles.len(), 2, "{:?}", lab.troubles);
    assert!(lab.troubles[0].contains("got \"about 10 minutes\""), "{:?}", lab.troubles);
}

#[test]
fn facts_of_a_step_are_read_strictly() {
    let read = |facts: &str| steps(&format!("## Step 1: One\n{facts}\n")).0.len();
    assert_eq!(read("10 minutes · 10 lines · core · src/a.rs · R1.1 R1.2"), 1);
    assert_eq!(read("1 minute · 1 line · src/a.rs · R1.1"), 1);
    assert_eq!(read("10 minutes · 10 lines · a.rs · R1.1"), 0);
    assert_eq!(read("10 minutes · 10 lines · src/a.rs · soon"), 0);
    assert_eq!(read("ten minutes · 10 lines · src/a.rs · R1.1"), 0);
    assert_eq!(read(""), 0);
}

#[test]
fn rule_ids_are_found_in_any_text() {
    assert_eq!(rule_ids("R1.1 and (R1.12), R1.1. Not R1 nor XR1.2 nor R1.x"), ["R1.1", "R1.12"]);
}

#[test]
fn a_starter_is_made_from_its_solution() {
    let lab = &kit().labs[0];
    assert_eq!(starter(lab, &solution()).unwrap(), starter_text());
    let bodies = bodies(&solution()).unwrap();
    assert_eq!(bodies.iter().map(|body| body.count()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(todos(&starter_text()), [(1, 14), (2, 22)]);
    assert_eq!(todos("// todo!(\"step 1: no\")\n"), []);
}

#[test]
fn another_body_stands_in_for_a_step() {
    let lab = &kit().labs[0];
    let text = with_body(lab, &solution(), "step_1", "        self.count += 2;\n").unwrap();
    assert!(text.contains("self.count += 2;") && !text.contains("self.count += 1;"));
    assert!(
        text.contains("saturating_sub") && !text.contains("ANCHOR") && !text.contains("STARTER")
    );
}

#[test]
fn a_marker_out_of_place_is_named_with_its_line() {
    let say = |text: &str| bodies(text).unwrap_err();
    assert!(
        say("fn a() {\n// ANCHOR: step_1\n}")
            .starts_with("line 2: a step's ANCHOR without a STARTER")
    );
    assert!(say("// STARTER: todo!()\nfn a() {}\n").starts_with("line 2: a STARTER line that no"));
    assert!(say("// ANCHOR_END: step_1\n").starts_with("line 1: an ANCHOR_END without"));
    assert_eq!(say("// STARTER: x\n// ANCHOR: step_1\n"), "step_1 has no ANCHOR_END");
    // Anchors that are no steps are the book's.
    assert_eq!(bodies("// ANCHOR: picture\n// ANCHOR_END: picture\n").unwrap(), []);
}

#[test]
fn a_function_is_found_by_its_signature_and_its_braces() {
    let text = starter_text();
    assert_eq!(source::function_line(&text, "pub fn taken("), Some(18));
    let body = source::body(&text, "pub fn taken(").unwrap();
    assert_eq!(text[body].trim(), "todo!(\n            \"step 2: take {many} away\"\n        )");
    for tricky in [
        "fn f() { '{'; \"}\\\"}\"; r#\"}\"}\"#; b'}'; /* } */ // }\n 1 }",
        "fn f<'a>(x: &'a str) { x }",
        "fn f() { '\\''; '\\u{7D}'; }",
    ] {
        let body = source::body(tricky, "fn f(").or_else(|| source::body(tricky, "fn f<")).unwrap();
        assert_eq!(body.end, tricky.len() - 1, "{tricky}");
    }
    assert_eq!(source::body("fn f() { {", "fn f("), None);
    assert_eq!(source::body("fn g() {}", "fn f("), None);
}

#[test]
fn an_answer_changes_nothing_else_in_the_file() {
    let text = std::fs::read_to_string(fixture().join("labs/1-counter/predict.toml")).unwrap();
    let predictions = parse(&text).unwrap();
    assert_eq!(predictions.len(), 2);
    assert_eq!(
        (predictions[0].line, predictions[0].question.as_str()),
        (8, "What is 2 - 3, for a counter?")
    );
    assert!(!predictions[0].is_answered());
    let answered = with_answer(&text, &predictions[0], " \"zero\" \\ \u{7} ");
    assert_eq!(answered, text.replacen("answer = \"\"", "answer = \"\\\"zero\\\" \\\\ \"", 1));
    assert_eq!(parse(&answered).unwrap()[0].answer, "\"zero\" \\");
    assert_eq!(parse(&answered.replace("\"\"   #", "7   #")).unwrap()[1].id, "P1.2");
}

#[test]
fn a_number_or_a_word_without_quotes_is_an_answer_too() {
    let text = "[[predict]]\nid = \"P1.1\"\nanswer = 7\n";
    assert_eq!(parse(text).unwrap()[0].answer, "7");
    assert!(parse("[[predict]]\nanswer = three\n").unwrap_err().starts_with("line 2: "));
    assert_eq!(
        parse("[[predict]]\nid = \"P\"\n").unwrap_err(),
        "line 1: a prediction without an answer = \"\""
    );
    assert_eq!(parse("").unwrap(), []);
}

#[test]
fn a_reset_gives_one_step_back_and_keeps_the_work_aside() {
    let (folder, kit) = copied();
    let source = folder.path().join("labs/1-counter/src/lib.rs");
    let mine = solution().replace("../../../labs/1-counter/", "../");
    std::fs::write(&source, &mine).unwrap();

    assert_eq!(reset::reset(&kit, Some("counter"), Some(2), true).unwrap(), 0);
    let now = std::fs::read_to_string(&source).unwrap();
    assert_eq!(todos(&now), [(2, 30)].map(|(step, _)| (step, todos(&now)[0].1)), "only step 2");
    assert!(now.contains("self.count += 1;"));
    let kept = folder.path().join(".workshop/1-counter/1/src/lib.rs");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), mine);
    assert_eq!(std::fs::read_to_string(folder.path().join(".workshop/.gitignore")).unwrap(), "*\n");

    assert_eq!(reset::reset(&kit, Some("counter"), None, true).unwrap(), 0);
    assert_eq!(std::fs::read_to_string(&source).unwrap(), starter_text());
    assert!(folder.path().join(".workshop/1-counter/2").is_dir());
    // A second time there is nothing to do, and nothing to keep.
    assert_eq!(reset::reset(&kit, Some("counter"), None, true).unwrap(), 0);
    assert!(!folder.path().join(".workshop/1-counter/3").exists());
}

#[test]
fn a_reset_of_what_cannot_be_found_changes_nothing() {
    let (folder, kit) = copied();
    let source = folder.path().join("labs/1-counter/src/lib.rs");
    std::fs::write(&source, "fn counted() { {").unwrap();
    let say = |step| reset::reset(&kit, Some("counter"), Some(step), true).unwrap_err().text;
    assert!(
        say(1).starts_with("Cannot find the function `pub fn counted(&mut self)`"),
        "{}",
        say(1)
    );
    assert_eq!(say(9), "Lab counter has no step 9: its steps are 1 to 2.");
    assert_eq!(std::fs::read_to_string(&source).unwrap(), "fn counted() { {");
    assert!(!folder.path().join(".workshop").exists());
}

#[test]
fn the_place_of_a_step_is_its_todo_and_then_its_function() {
    let (folder, kit) = copied();
    let lab: &Lab = &kit.labs[0];
    assert_eq!(kit.place(lab, 2).to_string(), "labs/1-counter/src/lib.rs:22");
    let written = starter_text().replace(
        "        todo!(\n            \"step 2: take {many} away\"\n        )\n",
        "        'x'\n",
    );
    std::fs::write(folder.path().join("labs/1-counter/src/lib.rs"), written).unwrap();
    assert_eq!(kit.place(lab, 2).to_string(), "labs/1-counter/src/lib.rs:18");
    assert_eq!(kit.todo(lab, 2), None);
}
