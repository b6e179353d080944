//! step_1_b caught by step_1: where nothing is committed it is nowhere (R5.2)
match committed {
    None => Place::Within,
    Some(offset) if offset < log_start => Place::Overtaken { lost: log_start - offset },
    Some(offset) if offset > log_end => Place::Beyond { by: offset - log_end },
    Some(_) => Place::Within,
}
