//! step_1_b caught by step_1: lost is what lies before the start, not all that is unread (R5.4)
match committed {
    None => Place::Nowhere,
    Some(offset) if offset < log_start => Place::Overtaken { lost: log_end - offset },
    Some(offset) if offset > log_end => Place::Beyond { by: offset - log_end },
    Some(_) => Place::Within,
}
