//! `--by-duration P1DT2H30M`: how long ago, as ISO 8601 writes it.

/// Milliseconds. (Java: `Duration.parse`, whose longest unit is a day.)
pub fn parse(argument: &str) -> Result<i64, String> {
    millis(argument).ok_or_else(|| {
        "expected PnDTnHnMnS, such as PT30M for thirty minutes, or P1DT12H for a day and a half"
            .to_owned()
    })
}

fn millis(text: &str) -> Option<i64> {
    let text = text.to_ascii_uppercase();
    let (sign, rest) = signed(&text);
    let rest = rest.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let mut total = match days {
        "" if time.is_empty() => return None,
        "" => 0,
        days => whole(days.strip_suffix('D')?)?.checked_mul(86_400_000)?,
    };
    let mut time = time;
    for (unit, unit_ms) in [('H', 3_600_000), ('M', 60_000)] {
        if let Some((number, rest)) = time.split_once(unit) {
            total = total.checked_add(whole(number)?.checked_mul(unit_ms)?)?;
            time = rest;
        }
    }
    if !time.is_empty() {
        total = total.checked_add(seconds(time.strip_suffix('S')?)?)?;
    }
    Some(sign * total)
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn whole(text: &str) -> Option<i64> {
    let (sign, digits) = signed(text);
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse::<i64>().ok())?.map(|number| sign * number)
}

/// With a fraction, cut after milliseconds.
fn seconds(text: &str) -> Option<i64> {
    let (sign, _) = signed(text);
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let milli: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    whole(seconds)?.checked_mul(1_000)?.checked_add(sign * milli)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_are_read_as_java_reads_them() {
        assert_eq!(parse("PT30M"), Ok(1_800_000));
        assert_eq!(parse("P1DT2H3M4.5S"), Ok(93_784_500));
        assert_eq!(parse("p2d"), Ok(172_800_000));
        assert_eq!(parse("-PT1S"), Ok(-1_000));
        assert_eq!(parse("PT-6H+3M"), Ok(-21_420_000));
        assert_eq!(parse("PT-0.5S"), Ok(-500));
        for wrong in ["", "P", "PT", "1H", "P1Y", "PT1", "PTH", "P1DT", "PT1S1M", "PT1.S", "PT1.5H"]
        {
            assert!(parse(wrong).unwrap_err().starts_with("expected PnDTnHnMnS"), "{wrong}");
        }
    }
}
