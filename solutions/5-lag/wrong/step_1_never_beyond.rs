//! step_1_b caught by step_1: a committed offset may be past the end (R5.4)
match committed {
    None => Place::Nowhere,
    Some(offset) if offset < log_start => Place::Overtaken { lost: log_start - offset },
    Some(_) => Place::Within,
}
