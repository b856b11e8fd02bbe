//! Tables for terminals: columns side by side, those without content left out.

/// Between two columns.
const GAP: &str = "  ";

/// Rows under their headings, each line ending with a line feed. A column that is blank in every row is left out.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |row: &[String], column: usize| row.get(column).map_or("", String::as_str).trim().to_owned();
    let columns: Vec<usize> = (0..headings.len())
        .filter(|column| rows.iter().any(|row| !cell(row, *column).is_empty()))
        .collect();
    let mut lines: Vec<Vec<String>> = vec![
        columns
            .iter()
            .map(|column| headings[*column].to_owned())
            .collect(),
    ];
    lines.extend(
        rows.iter()
            .map(|row| columns.iter().map(|column| cell(row, *column)).collect()),
    );
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    lines.iter().map(|line| padded(line, &widths)).collect()
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let cells: Vec<_> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    format!("{}\n", cells.join(GAP).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_blank_ones_go() {
        let rows = [
            vec!["a".to_owned(), String::new(), "1".to_owned()],
            vec!["grün".to_owned(), " ".to_owned(), "22".to_owned()],
        ];
        assert_eq!(
            table(&["ID", "NONE", "PORT"], &rows),
            "ID    PORT\na     1\ngrün  22\n"
        );
    }
}
