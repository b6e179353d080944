//! The outcome as a picture, from left to right the time. A strip for each partition says who reads it;
//! below it are curves: what the group does, its lag, and what the second group does.

use std::fmt::Write;
use std::time::Duration;

use super::group::{NAMES, Owner};
use super::scene::{Sample, Scene};
use super::{Outcome, PARTITION_RATE, PARTITIONS};
use crate::cli::terminal::thousands;

const WIDTH: f64 = 640.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 624.0;
/// The labels of the acts stand above.
const TOP: f64 = 104.0;
const STRIP: f64 = 22.0;
const STRIP_STEP: f64 = 26.0;
/// Curves, from top to bottom: the gap above each, for its title, and its height.
const GAP: f64 = 34.0;
const RATE: f64 = 96.0;
const LAG: f64 = 72.0;
const SECOND: f64 = 48.0;
/// A name stands in its strip if there is room for it, else its first letter.
const NAME_ROOM: f64 = 26.0;
const LETTER_ROOM: f64 = 8.0;

/// Colours come from the page that the picture stands in, or are these.
const STYLE: &str = "\
.groups text{font:13px \"Open Sans\",sans-serif;fill:var(--fg,#1d2024)}\
.groups .g-quiet{font-size:11px;fill:var(--quiet,#5d636a)}\
.groups .g-name{font-size:11px}\
.groups .g-0{fill:var(--mark,#0b5a9c)}.groups .g-1{fill:var(--warm,#c4560c)}\
.groups .g-2{fill:#3d9a63}.groups .g-3{fill:#9a63c4}.groups .g-4{fill:#c0508a}\
.groups .g-5{fill:#8a8d20}\
.groups .g-owner{opacity:.28}\
.groups .g-silent{fill:url(#groups-silent);stroke:var(--quiet,#8a9098);stroke-width:1}\
.groups .g-stripe{stroke:var(--quiet,#8a9098);stroke-width:1.4}\
.groups .g-line{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1}\
.groups .g-act{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1;stroke-dasharray:3 3;opacity:.7}\
.groups .g-come{fill:none;stroke:var(--fg,#1d2024);stroke-width:1;stroke-dasharray:5 4}\
.groups .g-curve{fill:none;stroke:var(--mark,#0b5a9c);stroke-width:1.8}\
.groups .g-lag{fill:none;stroke:var(--warm,#c4560c);stroke-width:1.8}";

pub fn svg(outcome: &Outcome) -> String {
    let scene = &outcome.scene;
    let rate = TOP + STRIP_STEP * PARTITIONS as f64 + GAP;
    let lag = rate + RATE + GAP;
    let second = lag + LAG + GAP;
    let billing = !scene.billing.members.is_empty();
    let bottom = if billing { second + SECOND } else { lag + LAG };
    let height = bottom + 24.0;
    let mut svg = String::new();
    // A string takes all.
    let _ = writeln!(
        svg,
        "<svg class=\"groups\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"groups-title groups-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"groups-title\">A group while members come, die, hang and dawdle</title>\n\
         <desc id=\"groups-desc\">Who reads each of {PARTITIONS} partitions, what the group does, and its lag. {}</desc>\n\
         <style>{STYLE}</style>\n\
         <defs><pattern id=\"groups-silent\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path class=\"g-stripe\" d=\"M0 0V5\"/></pattern></defs>",
        described(scene)
    );
    let last = scene.samples.last().map_or(Duration::ZERO, |sample| sample.at);
    let scale = Scale { per_s: (RIGHT - LEFT) / last.as_secs_f64().max(1.0) };
    acts(scene, &scale, bottom, &mut svg);
    for partition in 0..PARTITIONS {
        strip(scene, partition, &scale, &mut svg);
    }
    let come = PARTITIONS as u64 * PARTITION_RATE;
    let most =
        |value: &dyn Fn(usize) -> u64| (0..scene.samples.len()).map(value).max().unwrap_or(0);
    let done = |at: usize| scene.rate(at, |sample: &Sample| sample.done);
    let panel = Panel { title: "records a second, done by shipping", top: rate, height: RATE };
    panel.draw(scene, &scale, most(&done).max(come), done, "g-curve", &mut svg);
    let y = panel.y(come, most(&done).max(come));
    let _ = writeln!(
        svg,
        "<path class=\"g-come\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
         <text class=\"g-quiet\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} come</text>",
        LEFT - 4.0,
        y + 4.0,
        thousands(come)
    );
    let lagging = |at: usize| scene.lag(at);
    let panel = Panel { title: "lag of shipping", top: lag, height: LAG };
    panel.draw(scene, &scale, most(&lagging), lagging, "g-lag", &mut svg);
    if billing {
        let done = |at: usize| scene.rate(at, |sample: &Sample| sample.billing_done);
        let title = "records a second, done by billing, from the first record on";
        let panel = Panel { title, top: second, height: SECOND };
        panel.draw(scene, &scale, most(&done), done, "g-curve", &mut svg);
    }
    let _ = writeln!(
        svg,
        "<text class=\"g-quiet\" x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\">{:.0} seconds →</text>\
         <rect class=\"g-silent\" x=\"{LEFT}\" y=\"{}\" width=\"22\" height=\"11\"/>\
         <text class=\"g-quiet\" x=\"{}\" y=\"{}\">somebody has it, and does not read</text>\n</svg>",
        height - 6.0,
        last.as_secs_f64(),
        height - 15.0,
        LEFT + 28.0,
        height - 6.0,
    );
    svg
}

fn described(scene: &Scene) -> String {
    let told = scene.acts.iter().map(|act| {
        let (until, then) = act.rates();
        let moved = match (act.moved, until) {
            (Some((moved, _)), Some(until)) => {
                let after = (moved - act.at).as_secs_f64();
                format!(
                    "partitions moved after {after:.1} s, {until} records a second until then, "
                )
            }
            _ => String::new(),
        };
        format!("{:.0} s, {}: {moved}{then} then.", act.at.as_secs_f64(), act.deed)
    });
    told.collect::<Vec<_>>().join(" ")
}

struct Scale {
    per_s: f64,
}

impl Scale {
    fn x(&self, at: Duration) -> f64 {
        LEFT + at.as_secs_f64() * self.per_s
    }
}

fn acts(scene: &Scene, scale: &Scale, bottom: f64, svg: &mut String) {
    for act in &scene.acts {
        let x = scale.x(act.at);
        let _ = writeln!(
            svg,
            "<path class=\"g-act\" d=\"M{x:.1} {:.1}V{bottom}\"/>\
             <text class=\"g-quiet\" transform=\"translate({:.1} {:.1}) rotate(-58)\">{}</text>",
            TOP - 4.0,
            x + 3.0,
            TOP - 8.0,
            act.deed
        );
    }
}

/// Samples with the same owner, one after the other, are one piece.
fn strip(scene: &Scene, partition: usize, scale: &Scale, svg: &mut String) {
    let y = TOP + STRIP_STEP * partition as f64;
    let _ = writeln!(
        svg,
        "<text class=\"g-quiet\" x=\"{}\" y=\"{}\" text-anchor=\"end\">partition {partition}</text>",
        LEFT - 6.0,
        y + 15.0
    );
    let owner = |sample: &Sample| sample.owners.get(partition).copied().unwrap_or(Owner::Nobody);
    let ends = scene.samples.iter().map(|sample| sample.at).skip(1);
    let mut pieces: Vec<(Duration, Duration, Owner)> = Vec::new();
    for (sample, end) in scene.samples.iter().zip(ends) {
        match pieces.last_mut() {
            Some(piece) if piece.2 == owner(sample) => piece.1 = end,
            _ => pieces.push((sample.at, end, owner(sample))),
        }
    }
    for (from, to, owner) in pieces {
        let (x, width) = (scale.x(from), scale.x(to) - scale.x(from));
        let rect = |class: &str| {
            format!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{STRIP}\"/>"
            )
        };
        match owner {
            Owner::Nobody => {}
            Owner::Silent(_) => _ = writeln!(svg, "{}", rect("g-silent")),
            Owner::Reads(member) => {
                let class = format!("g-owner g-{}", member % 6);
                let name = match width {
                    room if room >= NAME_ROOM => NAMES[member],
                    room if room >= LETTER_ROOM => &NAMES[member][..1],
                    _ => "",
                };
                let _ = writeln!(
                    svg,
                    "{}<text class=\"g-name\" x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
                    rect(&class),
                    x + width / 2.0,
                    y + 15.0
                );
            }
        }
    }
}

struct Panel {
    title: &'static str,
    top: f64,
    height: f64,
}

impl Panel {
    fn y(&self, value: u64, most: u64) -> f64 {
        self.top + self.height * (1.0 - value as f64 / most.max(1) as f64)
    }

    fn draw(
        &self,
        scene: &Scene,
        scale: &Scale,
        most: u64,
        value: impl Fn(usize) -> u64,
        class: &str,
        svg: &mut String,
    ) {
        let mut path = String::new();
        for (at, sample) in scene.samples.iter().enumerate() {
            let sign = if at == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{sign}{:.1} {:.1}", scale.x(sample.at), self.y(value(at), most));
        }
        let base = self.top + self.height;
        let _ = writeln!(
            svg,
            "<text class=\"g-quiet\" x=\"{LEFT}\" y=\"{}\">{}</text>\
             <path class=\"g-line\" d=\"M{LEFT} {}V{base}H{RIGHT}\"/>\
             <text class=\"g-quiet\" x=\"{:.1}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <path class=\"{class}\" d=\"{path}\"/>",
            self.top - 8.0,
            self.title,
            self.top,
            LEFT - 4.0,
            self.top + 4.0,
            thousands(most)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::scene;
    use super::*;

    #[test]
    fn who_reads_is_written_on_the_strips() {
        let outcome =
            Outcome { scene: scene(), committed: 0, lost: 0, answers: None, said: Vec::new() };
        let picture = svg(&outcome);
        assert!(picture.contains(">ann</text>") && picture.contains(">bob</text>"), "{picture}");
        assert_eq!(picture.matches("class=\"g-silent\"").count(), 2, "one, and the legend");
        assert!(picture.contains(">kill -9 bob</text>") && picture.contains("done by billing"));
        let told =
            "10 s, kill -9 bob: partitions moved after 3.0 s, 250 records a second until then";
        assert!(picture.contains(told), "{picture}");
        assert!(picture.trim_end().ends_with("</svg>"));
    }
}
