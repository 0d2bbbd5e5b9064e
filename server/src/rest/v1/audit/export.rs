//! The audit as a file: all that the filters find, written while it is read.

use crate::problem::ApiResult;
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use model::{
    Actor,
    views::{AuditFilter, AuditView, Page},
};
use platform::{
    Platform,
    audit::{self, Whose},
};
use std::{fmt::Write, io, sync::Arc};
use time::{UtcOffset, format_description::well_known::Rfc3339};

/// So many entries are read at once.
const PIECE: i64 = 500;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a head.
    Csv,
    /// One JSON object a line.
    Lines,
}

/// The names of the columns.
const HEAD: [&str; 14] = [
    "at",
    "action",
    "actor",
    "actor_id",
    "target_kind",
    "target_id",
    "target_name",
    "before",
    "after",
    "address",
    "token_id",
    "token_name",
    "team_id",
    "id",
];

/// The entries as a file. What refuses, refuses before it begins; what fails later cuts the answer off, so that nobody
/// takes a part for the whole.
///
/// # Errors
/// As [`audit::list`].
pub async fn file(
    platform: Arc<Platform>,
    actor: Actor,
    whose: Whose,
    filter: AuditFilter,
    format: Format,
) -> ApiResult<Response> {
    let first = audit::list(&platform, &actor, whose, filter.clone(), PIECE, None).await?;
    let (kind, name) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "audit.csv"),
        Format::Lines => ("application/jsonl", "audit.jsonl"),
    };
    let head = stream::iter((format == Format::Csv).then(|| Ok(line(HEAD.map(str::to_owned)).into())));
    let rows = pages(platform, actor, whose, filter, first).map(move |page| page.map(|page| written(&page, format)));
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(head.chain(rows))).into_response())
}

type Read = Result<Page<AuditView>, io::Error>;

/// This page and all after it.
fn pages(
    platform: Arc<Platform>,
    actor: Actor,
    whose: Whose,
    filter: AuditFilter,
    first: Page<AuditView>,
) -> impl Stream<Item = Read> {
    stream::unfold(Some(Ok(first)), move |state: Option<Read>| {
        let (platform, actor, filter) = (platform.clone(), actor.clone(), filter.clone());
        async move {
            let page = match state? {
                Ok(page) => page,
                Err(error) => return Some((Err(error), None)),
            };
            let next = match page.next_cursor.as_deref() {
                Some(cursor) => {
                    let read = audit::list(&platform, &actor, whose, filter, PIECE, Some(cursor)).await;
                    Some(read.map_err(|error| {
                        tracing::warn!(%error, "an export of the audit is cut off");
                        io::Error::other("the rest cannot be read")
                    }))
                }
                None => None,
            };
            Some((Ok(page), next))
        }
    })
    // Layers around the body may look once more after the end.
    .fuse()
}

fn written(page: &Page<AuditView>, format: Format) -> Bytes {
    let mut text = String::new();
    for entry in &page.items {
        match format {
            Format::Csv => text.push_str(&line(cells(entry))),
            Format::Lines => {
                let _ = writeln!(text, "{}", serde_json::to_string(entry).unwrap_or_default());
            }
        }
    }
    text.into()
}

fn cells(entry: &AuditView) -> [String; 14] {
    fn text(value: Option<impl ToString>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    [
        entry.at.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default(),
        entry.action.clone(),
        entry.actor.name.clone(),
        text(entry.actor.id),
        entry.target.kind.clone(),
        entry.target.id.clone(),
        entry.target.name.clone(),
        text(entry.before.as_ref()),
        text(entry.after.as_ref()),
        text(entry.address),
        text(entry.token.as_ref().map(|token| token.id)),
        text(entry.token.as_ref().and_then(|token| token.name.clone())),
        text(entry.team_id),
        entry.id.to_string(),
    ]
}

/// A row. What a spreadsheet would take for a formula is made text by an apostrophe before it
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
fn line(cells: [String; 14]) -> String {
    let cells = cells.map(|cell| {
        let inert = if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
        format!("\"{inert}{}\"", cell.replace('"', "\"\""))
    });
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{
        AuditId,
        views::{AuditActor, AuditTarget},
    };
    use serde_json::json;
    use time::macros::datetime;

    fn entry(name: &str) -> AuditView {
        AuditView {
            id: AuditId::new(),
            at: datetime!(2026-11-28 09:30 +01:00),
            team_id: None,
            actor: AuditActor { id: None, name: "WebMeteor".into() },
            action: "site.rename".into(),
            target: AuditTarget { kind: "site".into(), id: "7".into(), name: name.into() },
            before: Some(json!({"name": "Old"})),
            after: None,
            address: Some("2001:db8::1".parse().unwrap()),
            token: None,
        }
    }

    #[test]
    fn a_row_holds_whatever_people_call_things() {
        let cell = |name: &str| cells_of(&line(cells(&entry(name))))[6].clone();
        assert_eq!(cell("Shop, \"the\" shop\nof Ada"), "Shop, \"the\" shop\nof Ada");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://evil.example\",\"x\")"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        assert_eq!(cell("a=1"), "a=1");
    }

    #[test]
    fn a_row_is_as_its_head_says() {
        let (head, row) = (cells_of(&line(HEAD.map(str::to_owned))), cells_of(&line(cells(&entry("Shop")))));
        assert_eq!(head, HEAD);
        assert_eq!(row[..5], ["2026-11-28T08:30:00Z", "site.rename", "WebMeteor", "", "site"]);
        assert_eq!(row[7..11], ["{\"name\":\"Old\"}", "", "2001:db8::1", ""]);
    }

    /// Reads a row as RFC 4180 has it.
    fn cells_of(line: &str) -> Vec<String> {
        let mut rest = line.strip_suffix("\r\n").unwrap();
        let mut cells = Vec::new();
        while let Some(quoted) = rest.strip_prefix('"') {
            let mut cell = String::new();
            rest = quoted;
            loop {
                let (text, after) = rest.split_once('"').unwrap();
                cell.push_str(text);
                let Some(more) = after.strip_prefix('"') else {
                    rest = after.strip_prefix(',').unwrap_or(after);
                    break;
                };
                cell.push('"');
                rest = more;
            }
            cells.push(cell);
        }
        assert_eq!(rest, "");
        cells
    }
}
