//! YAML that other programs read.

use crate::{Error, Result};
use serde::Serialize;

/// The text; each value stays on one line, so that readers cannot differ over how folded lines are joined.
pub(crate) fn render(value: &impl Serialize) -> Result<String> {
    let options = serde_saphyr::ser_options! {
        prefer_block_scalars: false,
    };
    serde_saphyr::to_string_with_options(value, options).map_err(|e| Error::Yaml(e.to_string()))
}
