//! `--to-datetime 2026-03-31T12:00:00.000`: a time as people write it.

/// Milliseconds since 1970. Without `Z`, `+02` or `+02:00` at its end it is UTC. (Kafka:
/// `Utils.getDateTime`.)
pub fn parse(argument: &str) -> Result<i64, String> {
    millis(argument).ok_or_else(|| {
        "expected YYYY-MM-DDThh:mm:ss.sss, such as 2026-03-31T12:00:00.000, in UTC unless an offset \
         such as +02:00 follows"
            .to_owned()
    })
}

fn millis(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(at);
    let (whole, milli) = time.split_once('.')?;
    let [hour, minute, second] = numbers(whole, ':')?;
    let milli = number(milli)?;
    if hour > 23 || minute > 59 || second > 59 || milli > 999 {
        return None;
    }
    let of_day = ((hour * 60 + minute) * 60 + second) * 1_000 + milli;
    Some(days(year, month, day)? * 86_400_000 + of_day - zone_minutes(zone)? * 60_000)
}

fn zone_minutes(zone: &str) -> Option<i64> {
    let (sign, offset) = match zone.chars().next() {
        None => return Some(0),
        Some('Z') if zone.len() == 1 => return Some(0),
        Some('+') => (1, &zone[1..]),
        Some('-') => (-1, &zone[1..]),
        Some(_) => return None,
    };
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    let two = |text: &str| number(text).filter(|_| text.len() == 2);
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Days since 1970-01-01, counted as in `terminal::utc`, the other way round.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) || !(1..=9_999).contains(&year) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    Some(era * 146_097 + of_era - 719_468)
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let numbers: Option<Vec<i64>> = text.split(separator).map(number).collect();
    numbers?.try_into().ok()
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::cli::terminal::utc;

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in [
            "1970-01-01T00:00:00.000",
            "2000-02-29T23:59:59.999",
            "2024-11-22T01:46:40.010",
            "1969-12-31T23:59:59.999",
            "2100-03-01T00:00:00.000",
        ] {
            assert_eq!(utc(parse(text).unwrap(), '.'), text.replace('T', " "));
        }
        let noon = parse("2026-03-31T12:00:00.000Z").unwrap();
        assert_eq!(parse("2026-03-31T12:00:00.000"), Ok(noon));
        assert_eq!(parse("2026-3-31T14:00:00.0+02:00"), Ok(noon));
        assert_eq!(parse("2026-03-31T06:30:00.000-05:30"), Ok(noon));
        assert_eq!(parse("2026-03-31T13:00:00.000+01"), Ok(noon));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "2026-03-31",
            "2026-03-31T12:00:00",
            "2026-02-29T12:00:00.000",
            "2026-13-01T12:00:00.000",
            "2026-03-31T24:00:00.000",
            "2026-03-31T12:60:00.000",
            "2026-03-31T12:00:00.000+2",
            "2026-03-31T12:00:00.000Z1",
            "2026-03-31 12:00:00.000",
        ] {
            assert!(parse(wrong).unwrap_err().contains("such as 2026-03-31T12"), "{wrong}");
        }
    }
}
