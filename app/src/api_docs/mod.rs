//! The document of the REST API as a page, rendered by the server alone: nothing in it comes alive, and nothing comes
//! from elsewhere. Searching is a form.

mod operation;
mod shapes;

use crate::static_page::static_page;
use leptos::prelude::*;
use operation::{Operation, OperationView};
use serde_json::Value;
use shapes::ShapesView;

/// The whole document, with the operations in which all words of `wanted` stand.
pub fn api_docs(options: LeptosOptions, document: &Value, wanted: &str) -> impl IntoView {
    let all = Operation::all(document);
    let words: Vec<String> = wanted.split_whitespace().map(str::to_lowercase).collect();
    let (total, is_search) = (all.len(), !words.is_empty());
    let found: Vec<Operation> = all.into_iter().filter(|it| it.has(&words)).collect();
    let count =
        if is_search { format!("{} of {total} operations", found.len()) } else { format!("{total} operations") };
    let mut nouns: Vec<String> = found.iter().map(|it| it.noun.clone()).collect();
    nouns.dedup();
    let links = nouns.clone().into_iter().map(|noun| {
        view! {
            <a class="pill" href=format!("#{noun}")>
                {noun.clone()}
            </a>
        }
    });
    let links = links.collect_view();
    let groups = nouns.into_iter().map(|noun| group(&noun, &found, is_search)).collect_view();
    let shapes = (!is_search).then(|| view! { <ShapesView document=document.clone() /> });
    let about = document["info"]["description"].as_str().unwrap_or_default().replace('`', "");
    let content = view! {
        <h1 class="text-2xl font-semibold">"API"</h1>
        <p class="mt-2 max-w-3xl text-sm text-muted">{about}</p>
        <p class="mt-2 text-sm">
            <a class="link-accent" href="/api/v1/openapi.json">
                "The same as OpenAPI 3.1"
            </a>
        </p>
        <form action="/api/docs" method="get" role="search" class="mt-6 flex max-w-xl items-end gap-2">
            <label class="flex flex-1 flex-col gap-1 text-sm font-medium">
                "Search operations"
                <span class="field">
                    <input
                        type="search"
                        name="q"
                        class="field-input"
                        value=wanted.to_owned()
                        placeholder="rollback, POST, sites:write, stale …"
                    />
                </span>
            </label>
            <button type="submit" class="btn btn-primary">
                "Search"
            </button>
        </form>
        <p class="mt-3 text-sm text-muted" role="status">
            {count}
        </p>
        <nav aria-label="Kinds of operations" class="mt-3 flex flex-wrap gap-2">
            {links}
        </nav>
        {groups}
        {shapes}
    };
    static_page(options, "API", content)
}

fn group(noun: &str, found: &[Operation], is_open: bool) -> impl IntoView + use<> {
    let operations = found.iter().filter(|it| it.noun == noun).cloned();
    let operations = operations.map(|operation| view! { <OperationView operation is_open /> }).collect_view();
    view! {
        <section class="mt-8" aria-labelledby=noun.to_owned()>
            <h2 id=noun.to_owned() class="font-mono text-lg font-semibold">
                {noun.to_owned()}
            </h2>
            <div class="mt-3 flex flex-col gap-2">{operations}</div>
        </section>
    }
}
