//! What the pages ask of the server about sites.
#![expect(clippy::too_many_arguments, reason = "a form has as many fields as it has")]

use crate::failure::Failure;
use leptos::prelude::*;
use model::{
    SiteId, TeamId,
    views::{Page, SiteView, SlugCheck, TemplateView, UsageView},
};

/// The sites of the visitor's teams, or of the one with this slug, newest first.
#[server(prefix = "/_fn", endpoint = "sites")]
pub async fn list_sites(
    #[server(default)] team: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<SiteView>, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let team = match team {
        Some(team) => Some(platform::teams::find(&platform, &actor, &team).await.map_err(context::failed)?.team.id),
        None => None,
    };
    platform::sites::list_of(&platform, &actor, team, 60, cursor.as_deref()).await.map_err(context::failed)
}

/// One site.
#[server(prefix = "/_fn", endpoint = "site")]
pub async fn get_site(id: SiteId) -> Result<SiteView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::sites::get(&platform, &actor, id).await.map_err(context::failed)
}

/// What a site takes of the disk.
#[server(prefix = "/_fn", endpoint = "usage")]
pub async fn get_usage(id: SiteId) -> Result<UsageView, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::disk::usage(&platform, &actor, id).await.map_err(context::failed)
}

/// The templates to begin from.
#[server(prefix = "/_fn", endpoint = "templates")]
pub async fn list_templates() -> Result<Vec<TemplateView>, Failure> {
    use crate::context;
    let (platform, _actor) = context::signed_in().await?;
    platform::sites::templates(&platform).map_err(context::failed)
}

/// Whether an address is free.
#[server(prefix = "/_fn", endpoint = "check_slug")]
pub async fn check_slug(slug: String) -> Result<SlugCheck, Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    platform::sites::check_slug(&platform, &actor, &slug).await.map_err(context::failed)
}

/// Makes a site and goes to its first deployment. `source` is `git`, `github`, `hosted`, or `template:` and a template's id.
#[server(prefix = "/_fn", endpoint = "create_site")]
pub async fn create_site(
    source: String,
    name: String,
    #[server(default)] slug: Option<String>,
    #[server(default)] git_url: Option<String>,
    #[server(default)] git_branch: Option<String>,
    #[server(default)] git_token: Option<String>,
    #[server(default)] accept_host_key: Option<String>,
    #[server(default)] github: Option<String>,
    #[server(default)] team: Option<String>,
) -> Result<(), Failure> {
    use crate::{context, failure::Keep};
    use model::Problem;
    use platform::sites::{NewSite, NewSource};
    let (platform, actor) = context::signed_in().await?;
    let filled = |value: Option<String>| value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    let (slug, url, branch) = (filled(slug), filled(git_url), filled(git_branch));
    // `{installation}:{repository}`
    let through = github.as_deref().and_then(|it| it.split_once(':')).unwrap_or_default();
    let through = (through.0.parse().unwrap_or_default(), through.1.to_owned());
    let typed = [
        ("source", source.clone()),
        ("name", name.clone()),
        ("slug", slug.clone().unwrap_or_default()),
        ("git_url", url.clone().unwrap_or_default()),
        ("git_branch", branch.clone().unwrap_or_default()),
        ("team", team.clone().unwrap_or_default()),
    ];
    let typed: Vec<_> = typed.iter().map(|(field, value)| (*field, value.as_str())).collect();
    let source = match (source.strip_prefix("template:"), url) {
        (Some(template), _) => Ok(NewSource::Template(template.to_owned())),
        (None, _) if source == "hosted" => Ok(NewSource::Hosted {}),
        (None, _) if source == "github" => {
            Ok(NewSource::Github { installation_id: through.0, repository: through.1, branch })
        }
        (None, Some(url)) => {
            let (token, accept_host_key) = (filled(git_token), filled(accept_host_key));
            Ok(NewSource::Git { url, branch, token, accept_host_key })
        }
        (None, None) => Err(context::refuse(Problem::invalid("git_url", "required", "Give the repository's address."))),
    }
    .keep(&typed)?;
    let team_id = match filled(team).map(|id| id.parse()) {
        Some(Ok(id)) => Some(id),
        None => None,
        Some(Err(_)) => return Err(context::refuse(Problem::not_found("team"))),
    };
    let new = NewSite { team_id, name, slug, source };
    let made = platform::sites::create(&platform, &actor, new)
        .await
        .map_err(|error| context::refuse(as_in_the_form(error.into())))
        .keep(&typed)?;
    let next = match made.deployment_id {
        Some(id) => format!("/deployments/{id}"),
        None => format!("/sites/{}", made.site.id),
    };
    leptos_axum::redirect(&next);
    Ok(())
}

/// The use case names fields as the API does, `source.git.url` say; the form has them side by side.
#[cfg(feature = "ssr")]
fn as_in_the_form(mut problem: model::Problem) -> model::Problem {
    for error in &mut problem.errors {
        let last = error.field.rsplit('.').next().unwrap_or_default();
        if matches!(last, "url" | "branch" | "token") {
            error.field = format!("git_{last}");
        }
    }
    problem
}

/// Gives a site another name for people.
#[server(prefix = "/_fn", endpoint = "rename_site")]
pub async fn rename_site(id: SiteId, name: String) -> Result<SiteView, Failure> {
    use crate::{context, failure::Keep};
    let (platform, actor) = context::signed_in().await?;
    let change = platform::sites::Change { name: Some(name.clone()), ..Default::default() };
    platform::sites::change(&platform, &actor, id, change).await.map_err(context::failed).keep(&[("name", &name)])
}

/// Sets where a site's code is fetched from. An empty token leaves the one that is kept, and without `new_deploy_key`
/// the key of an SSH address stays.
#[server(prefix = "/_fn", endpoint = "set_repository")]
pub async fn set_repository(
    id: SiteId,
    git_url: String,
    git_branch: String,
    #[server(default)] git_token: String,
    #[server(default)] remove_token: bool,
    #[server(default)] new_deploy_key: bool,
    #[server(default)] accept_host_key: Option<String>,
) -> Result<SiteView, Failure> {
    use crate::{context, failure::Keep};
    use platform::sites::{Change, NewRepository, Token};
    let (platform, actor) = context::signed_in().await?;
    let token = match git_token.trim() {
        "" if remove_token => Token::Remove,
        "" => Token::Keep,
        token => Token::Set(token.to_owned()),
    };
    let (url, branch) = (Some(git_url.clone()), Some(git_branch.clone()));
    let new = NewRepository { url, branch, token, new_deploy_key, accept_host_key };
    let change = Change { repository: Some(new), ..Default::default() };
    platform::sites::change(&platform, &actor, id, change)
        .await
        .map_err(|error| context::refuse(as_in_the_form(error.into())))
        .keep(&[
            ("git_url", &git_url),
            ("git_branch", &git_branch),
            ("new_deploy_key", if new_deploy_key { "true" } else { "" }),
        ])
}

/// Gives a site to another team.
#[server(prefix = "/_fn", endpoint = "transfer_site")]
pub async fn transfer_site(id: SiteId, team: TeamId) -> Result<(), Failure> {
    use crate::context;
    let (platform, actor) = context::signed_in().await?;
    let to = platform::sites::Transfer { team_id: team };
    platform::sites::transfer(&platform, &actor, id, to).await.map_err(context::failed)?;
    leptos_axum::redirect(&format!("/sites/{id}"));
    Ok(())
}

/// Removes a site when its address was typed as it is.
#[server(prefix = "/_fn", endpoint = "delete_site")]
pub async fn delete_site(id: SiteId, confirm: String, #[server(default)] keep_data: bool) -> Result<(), Failure> {
    use crate::context;
    use model::Problem;
    let (platform, actor) = context::signed_in().await?;
    let site = platform::sites::get(&platform, &actor, id).await.map_err(context::failed)?;
    if confirm.trim() != site.slug {
        let message = format!("This is not the site's name. Type {} to delete it.", site.slug);
        return Err(context::refuse(Problem::invalid("confirm", "mismatch", message)));
    }
    platform::sites::delete(&platform, &actor, id, keep_data).await.map_err(context::failed)?;
    leptos_axum::redirect("/sites");
    Ok(())
}
