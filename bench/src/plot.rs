//! The plot of docs/performance.md: what each variant adds, case by case.

use std::path::Path;

use plotters::prelude::*;

use crate::case::Variant;
use crate::measure::Measured;

/// Bars of a case, and their colours.
const BARS: [(Variant, RGBColor); 3] = [
    (Variant::Native, RGBColor(0x9a, 0xa5, 0xb1)),
    (Variant::Cached, RGBColor(0x52, 0x60, 0x6d)),
    (Variant::Vigile, RGBColor(0x0b, 0x7f, 0x6d)),
];
const ROW: u32 = 44;
const LEFT: u32 = 230;
const WIDTH: u32 = 900;

/// Writes an SVG with a row of bars for each case.
pub fn draw(file: &Path, cases: &[Measured]) -> Result<(), String> {
    let height = ROW * cases.len() as u32 + 90;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    let drawn =
        chart(&area, cases).and_then(|()| area.present().map_err(|error| error.to_string()));
    drawn.map_err(|error| format!("{}: {error}", file.display()))
}

fn chart(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    cases: &[Measured],
) -> Result<(), String> {
    let said = |error: DrawingAreaErrorKind<_>| error.to_string();
    let figure = |case: &Measured, variant: Variant| {
        case.added.get(&variant.to_string()).map(|added| added.median.max(0.0))
    };
    let all = cases.iter().flat_map(|case| BARS.map(|(variant, _)| figure(case, variant)));
    let most = all.flatten().fold(1.0, f64::max) * 1.08;
    area.fill(&WHITE).map_err(said)?;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption("CPU added to a request, µs", ("sans-serif", 18))
        .x_label_area_size(28)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(0.0..most, (cases.len() as f64)..0.0)
        .map_err(said)?;
    let name = |row: &f64| match row.fract() {
        0.5 => cases.get(row.floor() as usize).map_or(String::new(), |case| case.name.clone()),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(WHITE)
        .y_labels(2 * cases.len() + 1)
        .y_label_formatter(&name)
        .x_label_formatter(&|added| format!("{added:.0}"))
        .label_style(("sans-serif", 13))
        .draw()
        .map_err(said)?;
    for (place, (variant, colour)) in BARS.into_iter().enumerate() {
        let bars = cases.iter().enumerate().filter_map(|(row, case)| {
            let top = row as f64 + 0.14 + place as f64 * 0.25;
            let right = figure(case, variant)?;
            Some(Rectangle::new([(0.0, top), (right, top + 0.22)], colour.filled()))
        });
        let drawn = chart.draw_series(bars).map_err(said)?;
        drawn
            .label(variant.to_string())
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.2))
        .label_font(("sans-serif", 13))
        .draw()
        .map_err(said)
}
