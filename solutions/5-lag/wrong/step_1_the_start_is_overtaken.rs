//! step_1_b caught by step_1: who reads the first record next has lost nothing (R5.4)
match committed {
    None => Place::Nowhere,
    Some(offset) if offset <= log_start => Place::Overtaken { lost: log_start - offset },
    Some(offset) if offset > log_end => Place::Beyond { by: offset - log_end },
    Some(_) => Place::Within,
}
