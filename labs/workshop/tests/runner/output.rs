//! What is read from cargo and the test harness, and what is told about it.

use workshop::commands::trace::{self, Transcript, Waiting};
use workshop::grade::{Grade, Next, Outcome, State};
use workshop::kit::Place;
use workshop::libtest::{Test, executable, first_error, tests, warnings};
use workshop::{machine, report};

use crate::{copied, kit, text};

pub const RED: &str = "
running 2 tests
test step_2_takes_away ... FAILED
test step_1_counts_one ... ok

failures:

---- step_2_takes_away stdout ----

thread 'step_2_takes_away' (4711) panicked at labs/1-counter/tests/counter.rs:12:5:
assertion `left == right` failed: R1.3
  left: \"count 0\"
 right: \"count <1> & more\"
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    step_2_takes_away

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

/// The fixture's first lab with both steps written, and the grade of a run.
pub fn graded(output: &str) -> Grade {
    let (folder, kit) = copied();
    let solution =
        std::fs::read_to_string(folder.path().join("solutions/1-counter/src/lib.rs")).unwrap();
    std::fs::write(folder.path().join("labs/1-counter/src/lib.rs"), solution).unwrap();
    let mut grade = Grade::looked(&kit, &kit.labs[0]);
    assert!(grade.steps.iter().all(|step| step.state == State::Unknown));
    grade.take(tests(output));
    grade
}

#[test]
fn tests_are_read_with_their_messages_and_places() {
    let tests = tests(RED);
    assert_eq!(
        tests.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
        ["step_1_counts_one", "step_2_takes_away"]
    );
    assert!(tests[0].passed && !tests[1].passed);
    assert_eq!(tests[1].at.as_ref().unwrap().to_string(), "labs/1-counter/tests/counter.rs:12");
    assert_eq!(
        tests[1].message,
        "assertion `left == right` failed: R1.3\n  left: \"count 0\"\n right: \"count <1> & more\""
    );
}

#[test]
fn a_red_step_is_told_with_its_rule_and_its_place_last() {
    let grade = graded(RED);
    assert_eq!(grade.done_steps(), 1);
    insta::assert_snapshot!(text(&report::whole(&[grade], 80)), @r#"
    Lab 1  counter  How many were there?
      ✓ 1  Count one        10 min  core  done
      ✗ 2  Take some away   15 min        red
      · 0 of 2 predictions answered

      ✗ step_2_takes_away
        assertion `left == right` failed: R1.3
          left: "count 0"
         right: "count <1> & more"
      R1.3  A counter never goes below zero.

    Next: step 2, Take some away (15 minutes)
      read   labs/1-counter/README.md, step 2
      run    cargo test -p counter step_2
      stuck  cargo workshop hint counter
      write  labs/1-counter/src/lib.rs:21
    "#);
}

#[test]
fn a_step_that_only_waits_does_not_hide_one_that_is_wrong() {
    let grade = graded(
        "test step_1_a ... FAILED\ntest step_2_b ... FAILED\n\nfailures:\n\n\
         step 1 waits for step 2: labs/1-counter/src/lib.rs:5\n\
         step_2_b: labs/1-counter/tests/counter.rs:12\n    R1.3: below zero\n\ntest result: FAILED.\n",
    );
    assert!(!grade.steps[0].is_wrong() && grade.steps[1].is_wrong());
    assert_eq!(grade.next(), Next::Step(1));
    assert_eq!(grade.step_at_hand().map(|step| step.step.number), Some(2));
}

#[test]
fn a_lab_is_done_only_with_its_predictions() {
    let green = RED.replace("step_2_takes_away ... FAILED", "step_2_takes_away ... ok");
    let mut grade = graded(&green);
    assert_eq!(grade.done_steps(), 2);
    assert!(!grade.is_done());
    assert!(matches!(grade.next(), Next::Predict { open: 2, .. }));
    for prediction in &mut grade.lab.predictions {
        prediction.answer = "7".to_owned();
    }
    assert!(grade.is_done());
    assert_eq!(grade.next(), Next::Done);
}

#[test]
fn a_step_whose_tests_did_not_run_is_not_done() {
    let grade = graded("test step_1_counts_one ... ok\ntest result: ok. 1 passed\n");
    assert_eq!(grade.steps[1].state, State::Red);
    assert!(
        text(&report::next(&grade, report::Seen::AtThePrompt, 80))
            .starts_with("  No test ran for step 2.")
    );
}

#[test]
fn a_step_is_not_done_while_its_todo_stands() {
    let kit = kit();
    let mut grade = Grade::looked(&kit, &kit.labs[0]);
    grade.take(tests(
        "test step_1_counts_one ... ok\ntest step_2_takes_away ... ok\ntest result: ok\n",
    ));
    assert_eq!(grade.done_steps(), 0);
}

#[test]
fn a_failing_test_that_belongs_to_no_step_is_told() {
    let grade =
        graded("test odd ... FAILED\ntest step_1_a ... ok\ntest step_2_a ... ok\ntest result: F\n");
    assert!(!grade.is_done());
    assert!(matches!(grade.outcome, Outcome::NotRun(why) if why.contains("odd")));
}

const NOT_COMPILED: &str = "   Compiling counter v0.1.0 (/kit/labs/1-counter)
warning: unused variable: `x`
 --> labs/1-counter/src/lib.rs:3:9
  |
3 |     let x = 1;
  |         ^ help: try ignoring it: `_x`

error[E0308]: mismatched types
  --> labs/1-counter/src/lib.rs:20:9
   |
18 |     pub fn taken(&mut self) -> u64 {
   |                                --- expected `u64` because of return type
20 |         \"x\"
   |         ^^^ expected `u64`, found `&str`

For more information about this error, try `rustc --explain E0308`.
warning: `counter` (lib) generated 1 warning
error: could not compile `counter` (lib) due to 1 previous error; 1 warning emitted
";

#[test]
fn the_first_error_of_the_compiler_is_the_next_thing() {
    let error = first_error(NOT_COMPILED).unwrap();
    let mut grade = graded(RED);
    grade.outcome = Outcome::NotCompiled(error);
    insta::assert_snapshot!(text(&report::next(&grade, report::Seen::AtThePrompt, 80)), @r#"
    error[E0308]: mismatched types
      --> labs/1-counter/src/lib.rs:20:9
       |
    18 |     pub fn taken(&mut self) -> u64 {
       |                                --- expected `u64` because of return type
    20 |         "x"
       |         ^^^ expected `u64`, found `&str`

    Next: counter does not compile: mismatched types
      mend   labs/1-counter/src/lib.rs:20
    "#);
    assert_eq!(warnings(NOT_COMPILED), ["unused variable: `x` --> labs/1-counter/src/lib.rs:3:9"]);
}

#[test]
fn while_nothing_compiles_the_hint_is_for_the_step_that_the_error_is_in() {
    let (_folder, kit) = copied();
    let mut grade = graded(RED);
    let hint = |grade: &Grade| {
        let step = grade.step_at_hand().unwrap();
        text(&workshop::commands::hint::next(&kit, grade, step, 80))
    };
    grade.outcome = Outcome::NotCompiled(first_error(NOT_COMPILED).unwrap());
    insta::assert_snapshot!(hint(&grade), @r"
    Step 1, Count one  hint 1 of 3

      What does a counter do?

    Ask again for the next hint.

    Next: counter does not compile: mismatched types
      mend   labs/1-counter/src/lib.rs:20
    ");
    // In the body of step 2.
    let later = NOT_COMPILED.replace("lib.rs:20:9", "lib.rs:26:9");
    grade.outcome = Outcome::NotCompiled(first_error(&later).unwrap());
    assert!(hint(&grade).starts_with("Step 2, Take some away"), "{}", hint(&grade));
    // In no step's file: the first whose `todo!` still stands.
    let elsewhere = NOT_COMPILED.replace("src/lib.rs", "given/show.rs");
    grade.outcome = Outcome::NotCompiled(first_error(&elsewhere).unwrap());
    grade.steps[1].state = State::Todo;
    assert!(hint(&grade).starts_with("Step 2, Take some away"), "{}", hint(&grade));
}

#[test]
fn a_test_that_waits_says_for_which_step() {
    let waits_for = |message: &str| Test::unfinished("step_4_a", message).waits_for();
    assert_eq!(waits_for("not yet implemented: step 2: take 3 away"), Some(2));
    assert_eq!(waits_for("step 4 waits for step 3: labs/1-counter/src/lib.rs:5"), Some(3));
    assert_eq!(waits_for("step 4 is unfinished: labs/1-counter/src/lib.rs:5"), Some(4));
    assert_eq!(waits_for("step 4 fails too, but step 3 comes first"), None);
    assert_eq!(waits_for("R1.3: below zero"), None);
}

#[test]
fn a_trace_says_what_is_there_what_is_given_and_what_waits() {
    let lab = &kit().labs[0];
    let seen = |name: &str, test: &str, waits: Option<u32>| {
        let expected = format!("{name} once\n  {name}\n");
        let yours = waits.is_none().then(|| expected.clone());
        let transcript =
            Transcript { name: name.to_owned(), test: test.to_owned(), expected, yours };
        let at = Place { file: "labs/1-counter/src/lib.rs".to_owned(), line: 22 };
        (transcript, waits.map(|step| Waiting { step, at }))
    };
    let given = seen("show", "step_2_given_show_transcript", None);
    let two = seen("taken", "step_2_transcript", Some(2));
    let told = trace::told(lab, &[seen("count", "step_1_transcript", None), two, given]);
    insta::assert_snapshot!(text(&told), @r"
    ✓ step 1: count
      count once
        count

    Given, so not yours to write: show. Read them in
    labs/1-counter/tests/snapshots/.

    Your counter did this, as expected.
    Not there yet:
      · step 2: taken             waits for step 2
      write  labs/1-counter/src/lib.rs:22
    ");
    let told = trace::told(lab, &[seen("count", "step_1_transcript", Some(1))]);
    insta::assert_snapshot!(text(&told), @r"
    This is expected, when it is written:

    · step 1: count
      count once
        count

    Not there yet:
      · step 1: count             waits for step 1
      write  labs/1-counter/src/lib.rs:22
    ");
}

#[test]
fn after_the_last_step_the_page_and_the_command_to_plug_it_in() {
    let green = RED.replace("step_2_takes_away ... FAILED", "step_2_takes_away ... ok");
    let mut grade = graded(&green);
    grade.lab.chapter = Some("book/src/1-how-many.md".to_owned());
    let next = |grade: &Grade| text(&report::next(grade, report::Seen::AtThePrompt, 80));
    insta::assert_snapshot!(next(&grade), @r#"
    All steps pass. See your own code carry messages:
      read   book/src/1-how-many.md, "Plug it in"
      run    cargo workshop broker --mine counter

    Next: predict. Answer 2 questions as if you did not know.
      A guess is as good as knowing: it only has to be yours.
      file   labs/1-counter/predict.toml:8
      type   cargo workshop predict counter
    "#);
    for prediction in &mut grade.lab.predictions {
        prediction.answer = "7".to_owned();
    }
    insta::assert_snapshot!(next(&grade), @r#"
    Lab 1 is done. See your own code carry messages:
      read   book/src/1-how-many.md, "Plug it in"
      run    cargo workshop broker --mine counter
    "#);
}

#[test]
fn the_error_of_a_manifest_is_told_whole() {
    let said = "error: failed to parse manifest at `/kit/labs/2-half-written/Cargo.toml`\n\nCaused by:\n  no targets\n";
    let error = first_error(said).unwrap();
    assert_eq!(error.at, None);
    assert!(error.text.ends_with("no targets"));
}

#[test]
fn the_test_program_is_found() {
    let said = "    Finished `test` profile\n  Executable tests/counter.rs (target/debug/deps/counter-0a1)\n";
    assert_eq!(executable(said), Some("target/debug/deps/counter-0a1"));
}

#[test]
fn json_and_junit_are_whole() {
    let grade = graded(RED);
    insta::assert_snapshot!(machine::json(std::slice::from_ref(&grade)), @r#"{"format":1,"done":false,"labs":[{"lab":"counter","number":1,"folder":"labs/1-counter","done":false,"compiles":true,"error":null,"predictions":{"asked":2,"answered":0},"steps":[{"step":1,"title":"Count one","minutes":10,"core":true,"rules":["R1.1"],"state":"done","at":"labs/1-counter/src/lib.rs:13","tests":[{"name":"step_1_counts_one","passed":true,"message":null}]},{"step":2,"title":"Take some away","minutes":15,"core":false,"rules":["R1.2","R1.3"],"state":"red","at":"labs/1-counter/src/lib.rs:21","tests":[{"name":"step_2_takes_away","passed":false,"message":"assertion `left == right` failed: R1.3\n  left: \"count 0\"\n right: \"count <1> & more\""}]}],"next":{"do":"step","step":2,"at":"labs/1-counter/src/lib.rs:21"}}]}"#);
    insta::assert_snapshot!(machine::junit(&[grade]), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="workshop" tests="4" failures="3" errors="0">
      <testsuite name="counter" tests="4" failures="3" errors="0" skipped="0" time="0.000">
        <testcase classname="counter" name="step_1_counts_one"/>
        <testcase classname="counter" name="step_2_takes_away"><failure message="assertion `left == right` failed: R1.3">assertion `left == right` failed: R1.3
      left: &quot;count 0&quot;
     right: &quot;count &lt;1&gt; &amp; more&quot;</failure></testcase>
        <testcase classname="counter" name="prediction P1.1"><failure message="not answered yet: labs/1-counter/predict.toml:8">not answered yet: labs/1-counter/predict.toml:8</failure></testcase>
        <testcase classname="counter" name="prediction P1.2"><failure message="not answered yet: labs/1-counter/predict.toml:13">not answered yet: labs/1-counter/predict.toml:13</failure></testcase>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn whose_code_is_in_a_program_is_a_line_for_each_lab() {
    let told = |mine: &[&str]| {
        let mine: Vec<String> = mine.iter().map(|name| (*name).to_owned()).collect();
        text(&workshop::commands::organs::banner(&kit(), &mine))
    };
    assert_eq!(
        told(&["counter"]),
        "\n  yours  counter  labs/1-counter/src\n  \
         ours   half-written  solutions/2-half-written/src\n"
    );
    assert!(!told(&[]).contains("yours"));
    assert!(!told(&["counter", "half-written"]).contains("ours   "));
}
