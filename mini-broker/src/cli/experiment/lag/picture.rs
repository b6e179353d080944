//! The outcome as a picture, from left to right the time: the lag as a curve, and above it a band of verdicts.

use std::fmt::Write;
use std::time::Duration;

use super::scene::Scene;
use crate::cli::terminal::thousands;
use crate::labs::lag::Status;

const WIDTH: f64 = 640.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 624.0;
/// The labels of the deeds stand above.
const TOP: f64 = 128.0;
const BAND: f64 = 22.0;
const CURVE_TOP: f64 = TOP + BAND + 14.0;
const CURVE: f64 = 150.0;
const BOTTOM: f64 = CURVE_TOP + CURVE;
/// OK stands in its band if there is room for it; all else may stand over its ends.
const WORD_ROOM: f64 = 24.0;

/// Colours come from the page that the picture stands in, or are these.
const STYLE: &str = "\
.lag text{font:13px \"Open Sans\",sans-serif;fill:var(--fg,#1d2024)}\
.lag .l-quiet{font-size:11px;fill:var(--quiet,#5d636a)}\
.lag .l-word{font-size:10px}\
.lag .l-ok{fill:#3d9a63;opacity:.3}.lag .l-warn{fill:#c9a227;opacity:.45}\
.lag .l-err{fill:var(--warm,#c4560c);opacity:.5}.lag .l-open{fill:var(--quiet,#8a9098);opacity:.2}\
.lag .l-line{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1}\
.lag .l-deed{fill:none;stroke:var(--quiet,#8a9098);stroke-width:1;stroke-dasharray:3 3;opacity:.7}\
.lag .l-curve{fill:none;stroke:var(--mark,#0b5a9c);stroke-width:1.8}";

pub fn svg(scene: &Scene) -> String {
    let height = BOTTOM + 24.0;
    let last = scene.looks.last().map_or(Duration::ZERO, |look| look.at);
    let per_s = (RIGHT - LEFT) / last.as_secs_f64().max(1.0);
    let x = |at: Duration| LEFT + at.as_secs_f64() * per_s;
    let most = scene.looks.iter().map(|look| look.lag).max().unwrap_or(0).max(1);
    let y = |lag: u64| BOTTOM - lag as f64 / most as f64 * CURVE;
    let mut svg = String::new();
    // A string takes all.
    let _ = writeln!(
        svg,
        "<svg class=\"lag\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"lag-title lag-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"lag-title\">The lag of a consumer, and what a checker says of it</title>\n\
         <desc id=\"lag-desc\">{}</desc>\n<style>{STYLE}</style>",
        described(scene)
    );
    for (at, deed) in &scene.acts {
        let x = x(*at);
        let _ = writeln!(
            svg,
            "<path class=\"l-deed\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
             <text class=\"l-quiet\" transform=\"translate({:.1} {:.1}) rotate(-50)\">{deed}</text>",
            x + 3.0,
            TOP - 5.0
        );
    }
    bands(scene, x, &mut svg);
    let points = scene.looks.iter().map(|look| format!("{:.1} {:.1}", x(look.at), y(look.lag)));
    let points = points.collect::<Vec<_>>().join("L");
    if !points.is_empty() {
        let _ = writeln!(svg, "<path class=\"l-curve\" d=\"M{points}\"/>");
    }
    let _ = writeln!(
        svg,
        "<path class=\"l-line\" d=\"M{LEFT} {CURVE_TOP}V{BOTTOM}H{RIGHT}\"/>\
         <text class=\"l-quiet\" x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"end\">{2}</text>\
         <text class=\"l-quiet\" x=\"{0:.1}\" y=\"{3:.1}\" text-anchor=\"end\">lag 0</text>",
        LEFT - 5.0,
        CURVE_TOP + 9.0,
        thousands(most),
        BOTTOM + 3.0
    );
    for s in (0..=last.as_secs()).step_by(10) {
        let x = x(Duration::from_secs(s));
        let _ = writeln!(
            svg,
            "<text class=\"l-quiet\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{s} s</text>",
            BOTTOM + 17.0
        );
    }
    svg += "</svg>\n";
    svg
}

/// A rectangle for each stretch of time with one verdict.
fn bands(scene: &Scene, x: impl Fn(Duration) -> f64, svg: &mut String) {
    let looks = &scene.looks;
    let mut begin = 0;
    for same in looks.chunk_by(|a, b| a.status == b.status) {
        let end = begin + same.len();
        let from = x(looks[begin].at);
        let to = x(looks.get(end).unwrap_or(&looks[end - 1]).at);
        begin = end;
        let (class, word) = match same[0].status {
            None => ("l-open", "?"),
            Some(status @ (Status::Ok | Status::NotFound)) => ("l-ok", status.name()),
            Some(status @ Status::Warn) => ("l-warn", status.name()),
            Some(status) => ("l-err", status.name()),
        };
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{BAND}\"/>",
            (to - from).max(0.5)
        );
        let room = if class == "l-ok" { WORD_ROOM } else { WORD_ROOM / 2.0 };
        if to - from >= room {
            let _ = write!(
                svg,
                "<text class=\"l-word\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{word}</text>",
                (from + to) / 2.0,
                TOP + 15.0
            );
        }
        svg.push('\n');
    }
}

fn described(scene: &Scene) -> String {
    let deeds = scene.outcomes().into_iter().map(|(at, deed, outcome)| {
        let last = outcome.verdicts.last().copied().flatten();
        let verdict = last.map_or("?", Status::name);
        format!("At {:.0} s {deed}: {verdict}, lag {}.", at.as_secs_f64(), outcome.lag)
    });
    deeds.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::scene;

    #[test]
    fn a_band_for_each_verdict_and_a_line_for_each_deed() {
        let svg = super::svg(&scene());
        assert_eq!(svg.matches("class=\"l-ok\"").count(), 1);
        assert_eq!(svg.matches("class=\"l-err\"").count(), 1);
        assert_eq!(svg.matches("class=\"l-deed\"").count(), 3);
        assert!(svg.contains(">1,300</text>"), "the greatest lag stands at the axis");
        assert!(svg.contains("At 20 s kill -9: STOP, lag 1300."));
    }
}
