//! How an operation comes from its file to its address and into the document at once, so that the two never differ.

use crate::state::AppState;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::UtoipaMethodRouter;

/// `"/sites" => sites::list, sites::create;`: the modules whose `handle` answers at an address. Which method it is
/// stands at the handler, with what it takes and answers.
macro_rules! operations {
    ($($path:literal => $($($part:ident)::+),+;)+) => {
        utoipa_axum::router::OpenApiRouter::new()$($(
            .routes($crate::rest::operation::at(
                $path,
                concat!($(stringify!($part), "."),+),
                utoipa_axum::routes!($($part::)+handle),
            ))
        )+)+
    };
}
pub(crate) use operations;

/// Places an operation at its address, and names it after its module.
pub fn at(
    path: &str,
    module: &str,
    (schemas, mut paths, router): UtoipaMethodRouter<AppState>,
) -> UtoipaMethodRouter<AppState> {
    let items = std::mem::take(&mut paths.paths);
    paths.paths = items.into_values().map(|item| (path.to_owned(), named(item, module))).collect();
    (schemas, paths, router)
}

fn named(mut item: PathItem, module: &str) -> PathItem {
    let words: Vec<&str> = module.split('.').filter(|word| !word.is_empty()).collect();
    let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    for operation in methods.into_iter().flatten() {
        let Operation { operation_id, tags, .. } = operation;
        *operation_id = Some(words.join("_"));
        *tags = words.first().map(|noun| vec![(*noun).to_owned()]);
    }
    item
}
