//! The program itself, with cargo behind it: slow, so asked for by `cargo test -p workshop -- --ignored`.

use std::path::Path;
use std::process::Command;

use crate::copied;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn workshop(root: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_workshop"))
        .args(args)
        .current_dir(root.join("labs"))
        .env("CARGO_TARGET_DIR", root.join("target"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim()
}

#[test]
#[ignore = "runs cargo"]
fn a_lab_from_the_first_red_to_done() {
    let (folder, _) = copied();
    let root = folder.path();
    let source = root.join("labs/1-counter/src/lib.rs");

    let red = workshop(root, &["grade", "counter"]);
    assert_eq!(
        (red.code, last(&red.out)),
        (Some(1), "type   cargo workshop predict counter"),
        "{}",
        red.out
    );
    assert_eq!(workshop(root, &["predict"]).code, Some(1));
    for answer in ["P1.1", "P1.2"] {
        let path = root.join("labs/1-counter/predict.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let at = text.find(answer).unwrap();
        let (head, tail) = text.split_at(at);
        std::fs::write(
            path,
            format!("{head}{}", tail.replacen("answer = \"\"", "answer = \"7\"", 1)),
        )
        .unwrap();
    }
    let told = workshop(root, &["predict"]);
    assert_eq!(told.code, Some(0));
    assert!(
        told.out.contains("it is        0") && told.out.contains("It stops at zero"),
        "{}",
        told.out
    );

    let waits = workshop(root, &["trace", "1"]);
    assert!(waits.out.contains("waits for step 2"), "{}", waits.out);
    assert_eq!((waits.code, last(&waits.out)), (Some(1), "write  labs/1-counter/src/lib.rs:22"));

    let solution = std::fs::read_to_string(root.join("solutions/1-counter/src/lib.rs")).unwrap();
    let solution = solution.replace("../../../labs/1-counter/", "../");
    std::fs::write(&source, solution.replace("saturating_sub(many)", "saturating_sub(many) + 1"))
        .unwrap();
    let wrong = workshop(root, &["grade", "1"]);
    assert_eq!(
        (wrong.code, last(&wrong.out)),
        (Some(1), "write  labs/1-counter/src/lib.rs:21"),
        "{}",
        wrong.out
    );
    let trace = workshop(root, &["trace", "1"]);
    assert_eq!(trace.code, Some(1));
    assert!(trace.out.contains("▸   count 0 {") && trace.out.contains("R1.2"), "{}", trace.out);
    let hint = workshop(root, &["hint", "1"]).out + &workshop(root, &["hint", "1"]).out;
    assert!(hint.contains("hint 1 of 3") && hint.contains("hint 2 of 3"), "{hint}");

    std::fs::write(&source, &solution).unwrap();
    let green = workshop(root, &["grade", "1", "--json"]);
    assert_eq!(green.code, Some(0), "{}{}", green.out, green.err);
    assert!(green.out.starts_with("{\"format\":1,\"done\":true,"), "{}", green.out);
    assert_eq!(workshop(root, &["trace", "1"]).code, Some(0));
    let done = workshop(root, &["status", "1"]);
    assert!(done.out.contains("Lab 1 is done.") && !done.out.contains("Lab 2"), "{}", done.out);

    std::fs::write(&source, solution.replace("self.count += 1;", "self.count += \"1\";")).unwrap();
    let broken = workshop(root, &["grade", "1"]);
    assert_eq!(broken.code, Some(1));
    assert_eq!(last(&broken.out), "mend   labs/1-counter/src/lib.rs:16", "{}", broken.out);
    assert!(!broken.out.contains("/rustc/"), "{}", broken.out);
    let hint = workshop(root, &["hint", "1"]);
    assert!(hint.out.contains("hint ") && hint.out.contains("does not compile"), "{}", hint.out);
    assert_eq!(last(&hint.out), "mend   labs/1-counter/src/lib.rs:16");
    // The rest of the workshop does not mind.
    assert_eq!(workshop(root, &["status"]).code, Some(0));

    std::fs::write(&source, solution.replace("self.count += 1;", "std::process::abort();"))
        .unwrap();
    let aborted = workshop(root, &["grade", "1"]);
    assert!(aborted.out.contains("was aborted"), "{}", aborted.out);

    assert_eq!(workshop(root, &["reset", "1"]).code, Some(2), "it does not reset without asking");
    assert_eq!(workshop(root, &["reset", "1", "--yes"]).code, Some(0));
}

#[test]
#[ignore = "runs cargo"]
fn an_author_is_told_what_does_not_fit() {
    let (folder, _) = copied();
    let root = folder.path();
    let fits = workshop(root, &["verify", "counter"]);
    assert_eq!(fits.code, Some(0), "{}{}", fits.out, fits.err);
    assert!(
        fits.out.contains("caught by step_2_takes_away: it takes nothing away"),
        "{}",
        fits.out
    );

    let wrong = root.join("solutions/1-counter/wrong/step_1_counts_right.rs");
    std::fs::write(
        &wrong,
        "//! step_1 caught by step_1: it is not wrong at all (R1.1)\nself.count += 1;\n",
    )
    .unwrap();
    let missed = workshop(root, &["verify", "counter"]);
    assert_eq!(missed.code, Some(1));
    assert!(missed.out.contains("no test step_1… fails"), "{}", missed.out);
    std::fs::write(&wrong, "//! step_1 caught by step_1: it counts two (R1.3)\nself.count += 2;\n")
        .unwrap();
    let misled = workshop(root, &["verify", "counter"]);
    assert!(
        misled.out.contains("step_1_counts_one names R1.1, and what is broken is R1.3"),
        "{}",
        misled.out
    );
    std::fs::remove_file(wrong).unwrap();

    let source = root.join("labs/1-counter/src/lib.rs");
    let starter = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, starter.replace("A counter.", "A counter!")).unwrap();
    let differs = workshop(root, &["verify", "counter"]);
    assert!(
        differs.out.contains("labs/1-counter/src/lib.rs:1: not what the solution makes"),
        "{}",
        differs.out
    );
    assert_eq!(workshop(root, &["verify", "counter", "--write"]).code, Some(0));
    assert_eq!(std::fs::read_to_string(&source).unwrap(), starter);
}

#[test]
#[ignore = "runs cargo"]
fn bad_input_gets_a_sentence() {
    let (folder, _) = copied();
    let root = folder.path();
    let say = |args: &[&str]| {
        let ran = workshop(root, args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}{}", ran.out, ran.err);
        ran.err
    };
    assert!(say(&["grade", "acks"]).starts_with("There is no lab \"acks\"."));
    assert!(say(&["grdae"]).contains("some similar subcommands exist: 'trace', 'grade'"));
    assert!(say(&["grade", "--json", "--junit"]).contains("cannot be used with"));
    assert!(say(&["trace", "1", "--step", "9"]).starts_with("Lab counter has no step 9."));
    assert!(say(&["reset"]).contains("<LAB>"));
    for command in ["broker", "produce", "consume"] {
        assert!(
            say(&[command, "--mine", "half-written"])
                .starts_with("The broker has no place for lab half-written.")
        );
        assert!(say(&[command, "--mine", "acks"]).starts_with("There is no lab \"acks\"."));
    }
    let outside =
        workshop(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap(), &["--version"]);
    assert_eq!(outside.code, Some(0));
}
