//! Which topics are meant: a name, names with commas between, or a regular expression.

use regex_lite::Regex;

use super::Failure;

/// `IncludeList` in Kafka. A pattern fits a whole name, not a part of it.
///
/// Kafka's are Java's expressions; ours have no look-around and no back references.
pub struct TopicPattern(Regex);

impl TopicPattern {
    /// `flag` is named where the text is no pattern.
    pub fn new(flag: &str, text: &str) -> Result<Self, Failure> {
        // A comma separates, also inside the pattern: `x{1,2}` means something else than it seems.
        let pattern = text.replace(',', "|").replace(' ', "");
        let pattern = pattern.trim_matches(['"', '\'']);
        Regex::new(&format!(r"\A(?:{pattern})\z")).map(Self).map_err(|error| {
            Failure::usage(format!(
                "{flag} `{text}`: expected a name, several with commas between, or a regular \
                 expression such as `orders.*`; but {error}"
            ))
        })
    }

    pub fn any() -> Self {
        Self(Regex::new("").expect("the empty pattern is one, and fits everywhere"))
    }

    pub fn fits(&self, topic: &str) -> bool {
        self.0.is_match(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::TopicPattern;

    fn fitting(pattern: &str) -> Vec<&'static str> {
        let pattern = TopicPattern::new("--topic", pattern).unwrap();
        ["orders", "orders.eu", "orders-eu", "my-orders", "alpha"]
            .into_iter()
            .filter(|topic| pattern.fits(topic))
            .collect()
    }

    #[test]
    fn a_pattern_fits_whole_names() {
        assert_eq!(fitting("orders"), ["orders"]);
        assert_eq!(fitting("orders, alpha"), ["orders", "alpha"]);
        assert_eq!(fitting("orders.eu"), ["orders.eu", "orders-eu"]);
        assert_eq!(fitting(r"orders\.eu"), ["orders.eu"]);
        assert_eq!(fitting("'.*orders.*'").len(), 4);
        assert_eq!(fitting(".*|alpha").len(), 5);
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        let failure = TopicPattern::new("--topic", "*").err().unwrap();
        assert_eq!(failure.exit_code, 2);
        assert!(failure.sentence.starts_with("--topic `*`: expected a name"), "{failure}");
    }
}
