//! What the page asks of the server about variables.

use crate::failure::Failure;
use leptos::prelude::*;
use model::{SiteId, views::VariablesView};

/// The environment of this name; without one, all previews of the site.
#[cfg(feature = "ssr")]
fn of(environment: &str) -> platform::variables::Of<'_> {
    use platform::variables::Of;
    if environment.is_empty() { Of::Previews } else { Of::Environment(environment) }
}

/// The variables of an environment, or of all previews; secrets without their values.
#[server(prefix = "/_fn", endpoint = "variables")]
pub async fn list_variables(site: SiteId, environment: String) -> Result<VariablesView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::variables::list(&platform, &actor, site, of(&environment)).await.map_err(context::failed)
}

/// Adds a variable or changes it. With `keep`, an empty value leaves a secret the one it has.
#[server(prefix = "/_fn", endpoint = "put_variable")]
pub async fn put_variable(
    site: SiteId,
    environment: String,
    name: String,
    #[server(default)] value: String,
    #[server(default)] secret: bool,
    #[server(default)] keep: bool,
) -> Result<VariablesView, Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    // Forms end their lines with CR and LF, whatever was typed.
    let value = Some(value.replace("\r\n", "\n")).filter(|value| !(keep && value.is_empty()));
    let new = platform::variables::NewVariable { name: name.clone(), value, secret };
    let view = platform::variables::put(&platform, &actor, site, of(&environment), new)
        .await
        .map_err(context::failed)
        .keep(&[("name", &name)])?;
    context::send_on(&super::page::address(site, &environment));
    Ok(view)
}

/// Adds what a `.env` file holds.
#[server(prefix = "/_fn", endpoint = "import_variables")]
pub async fn import_variables(
    site: SiteId,
    environment: String,
    text: String,
    #[server(default)] as_secrets: bool,
) -> Result<VariablesView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::variables::import(&platform, &actor, site, of(&environment), &text, as_secrets)
        .await
        .map_err(context::failed)
}

/// Removes a variable.
#[server(prefix = "/_fn", endpoint = "remove_variable")]
pub async fn remove_variable(site: SiteId, environment: String, name: String) -> Result<VariablesView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let view =
        platform::variables::remove(&platform, &actor, site, of(&environment), &name).await.map_err(context::failed)?;
    context::send_on(&super::page::address(site, &environment));
    Ok(view)
}
