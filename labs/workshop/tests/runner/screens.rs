//! The screens, as text: what a reader sees in 80 columns and 24 rows, and in less.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use workshop::grade::{Grade, Outcome};
use workshop::kit::Kit;
use workshop::libtest::CompileError;
use workshop::screen::{News, Service, State, View, draw};

use crate::output::{RED, graded};
use crate::{copied, kit, text};

fn screen(state: &State) -> String {
    sized(state, 80, 24)
}

fn sized(state: &State, width: usize, height: usize) -> String {
    let lines = draw(state, width, height);
    assert_eq!(lines.len(), height);
    let cut: Vec<String> = lines
        .iter()
        .map(|line| line.text().chars().take(width).collect::<String>().trim_end().to_owned())
        .collect();
    cut.join("\n")
}

fn press(state: &mut State, kit: &Kit, key: char) {
    state.key(kit, KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
}

#[test]
fn the_first_screen_stands_before_anything_is_graded() {
    let kit = kit();
    insta::assert_snapshot!(screen(&State::new(&kit)));
}

#[test]
fn a_red_test_is_shown_with_what_to_do_last() {
    let kit = kit();
    let mut state = State::new(&kit);
    state.news(News::Grading(0));
    state.news(News::Book(Service::Serving("http://127.0.0.1:4000".to_owned())));
    state.news(News::Broker(Service::Building));
    state.news(News::Graded(0, Box::new(graded(RED))));
    insta::assert_snapshot!(screen(&state));
}

#[test]
fn what_serves_behind_the_screen_says_where() {
    let kit = kit();
    let mut state = State::new(&kit);
    state.news(News::Book(Service::Serving("http://127.0.0.1:4000".to_owned())));
    state.news(News::Dashboard("http://127.0.0.1:9080/".to_owned()));
    assert!(!screen(&state).contains("9080"), "it does not serve yet");
    state.news(News::Broker(Service::Serving("127.0.0.1:9092".to_owned())));
    let screen = screen(&state);
    let line = "● book http://127.0.0.1:4000   ● broker 127.0.0.1:9092 http://127.0.0.1:9080/";
    assert!(screen.contains(line), "{screen}");
}

#[test]
fn in_a_small_window_the_next_thing_stays() {
    let kit = kit();
    let mut state = State::new(&kit);
    state.news(News::Graded(0, Box::new(graded(RED))));
    insta::assert_snapshot!(sized(&state, 40, 12));
    // No size makes it fail.
    for (width, height) in [(0, 0), (1, 1), (3, 2), (20, 5), (300, 100)] {
        sized(&state, width, height);
    }
}

#[test]
fn a_lab_that_does_not_compile_shows_the_first_error() {
    let kit = kit();
    let mut state = State::new(&kit);
    let mut grade = Grade::looked(&kit, &kit.labs[0]);
    grade.outcome = Outcome::NotCompiled(CompileError {
        what: "mismatched types".to_owned(),
        at: Some(kit.place(&kit.labs[0], 1)),
        text: "error[E0308]: mismatched types\n  --> labs/1-counter/src/lib.rs:14:9".to_owned(),
    });
    state.news(News::Graded(0, Box::new(grade)));
    insta::assert_snapshot!(screen(&state));
}

#[test]
fn keys_open_the_hints_the_next_step_and_the_list() {
    let (_folder, kit) = copied();
    let mut state = State::new(&kit);
    press(&mut state, &kit, 'n');
    insta::assert_snapshot!("next", screen(&state));
    press(&mut state, &kit, 'l');
    insta::assert_snapshot!("list", screen(&state));
    press(&mut state, &kit, 'h');
    let first = screen(&state);
    press(&mut state, &kit, 'h');
    let second = screen(&state);
    press(&mut state, &kit, 'h');
    let third = screen(&state);
    press(&mut state, &kit, 'h');
    assert!(first.contains("hint 1 of 3") && first.contains("What does a counter do?"), "{first}");
    assert!(second.contains("hint 2 of 3"), "{second}");
    assert!(third.contains("    self.count += 1;"), "{third}");
    assert_eq!(screen(&state), third, "the last hint stays");
    state.key(&kit, KeyEvent::from(KeyCode::Esc));
    assert_eq!(state.view, View::Home);
    press(&mut state, &kit, 'o');
    assert!(state.said.starts_with("the book is being built"), "{}", state.said);
    press(&mut state, &kit, 'l');
    press(&mut state, &kit, '2');
    assert_eq!((state.lab, state.to_grade), (1, Some(1)));
    press(&mut state, &kit, 'q');
    assert!(state.quit);
}

#[test]
fn a_line_is_cut_at_the_edge_and_keeps_its_colours_whole() {
    use workshop::paint::{Line, Style, reflow, wrap};
    let line = Line::new().with(Style::Good, "green").plain(" and plain");
    assert_eq!(line.painted(80), "\x1b[32mgreen\x1b[0m and plain");
    assert_eq!(line.painted(4), "\x1b[32mgre\x1b[0m…");
    assert_eq!(line.painted(0), "");
    assert_eq!(text(&[line]), "green and plain");
    assert_eq!(wrap("one two three four five", 13), ["one two three", "four five"]);
    assert_eq!(wrap("  indented text that goes on", 16), ["  indented text", "  that goes on"]);
    assert_eq!(
        reflow("a\n`b`\n\nc\n- d\ne\n    code {\n    }\nf\n```\n`g`\n```"),
        "a `b`\n\nc\n- d e\n    code {\n    }\nf\n```\n`g`\n```"
    );
}
