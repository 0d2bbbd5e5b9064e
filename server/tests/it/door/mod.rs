//! The one door: every way into the program, taken by every kind of caller, against one table of what each is answered.
//!
//! To add a row, see [`table`]. A way that is registered and not in the table fails here with its name, and so does a row
//! for what is no longer there.

mod bodies;
mod calls;
mod connections;
mod forgery;
mod pages;
mod stage;
mod table;
mod too_often;

use calls::Calls;
use stage::Stage;
use std::collections::BTreeSet;
use table::TABLE;

/// What the program says of itself: every operation of the API's document, every server function, every event of the
/// sockets in either direction, every address of Git.
fn registered(stage: &Stage) -> BTreeSet<String> {
    let document = stage.document();
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let functions = app::server_functions().into_iter().map(|path| format!("fn {}", path.trim_start_matches("/_fn/")));
    let asked = server::sockets::ASKED.iter().map(|event| format!("socket < {event}"));
    let told = server::sockets::TOLD.iter().map(|event| format!("socket > {event}"));
    let git = server::git_http::ADDRESSES.iter().map(|(method, path)| format!("{method} {path}"));
    operations.chain(functions).chain(asked).chain(told).chain(git).collect()
}

#[tokio::test]
async fn everybody_is_answered_as_the_table_says() {
    let stage = Stage::set().await;
    let registered = registered(&stage);
    let known: BTreeSet<String> = TABLE.iter().map(|row| row.way.to_owned()).collect();
    let missing: Vec<_> = registered.difference(&known).collect();
    assert!(missing.is_empty(), "add rows for these to server/tests/it/door/table.rs: {missing:#?}");
    let stale: Vec<_> = known.difference(&registered).collect();
    assert!(stale.is_empty(), "remove the rows for these, or register them: {stale:#?}");

    let mut calls = Calls::new(&stage).await;
    let mut wrong = Vec::new();
    for row in TABLE {
        let found = calls.answers(row).await;
        let expected: Vec<&str> = row.answers.split_whitespace().collect();
        assert_eq!(expected.len(), stage::CALLERS.len(), "{}: one answer for each caller", row.way);
        let agrees = expected.iter().zip(&found).all(|(cell, found)| cell.split('/').any(|one| found.is(one)));
        if !agrees {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            wrong.push(format!("{} {}\n  table: {}\n  found: {}", row.way, row.with, row.answers, found.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "callers: {}\n{}", stage::CALLERS.join(" "), wrong.join("\n"));
}
