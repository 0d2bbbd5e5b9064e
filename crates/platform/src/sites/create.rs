//! A new site: checked, its repository made or reached, its first deployment queued, all or nothing.

use crate::{
    Platform, Result, access, audit,
    audit::Entry,
    deployments::{Queued, enqueue},
    github, members, quotas,
    sites::{
        get,
        repository::{self, Way, parse_token},
        templates,
    },
    vault::random_secret,
};
use anyhow::Context;
use model::{
    Actor, EnvironmentId, FieldError, Problem, SiteId, TeamId,
    deployment::Trigger,
    event::Event,
    names::{BranchName, DisplayName, NameError, RepoUrl, SiteSlug, suggest_slug},
    site::Source,
    views::CreatedSite,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where a new site's code comes from, as the API takes it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewSource {
    /// A template's id.
    Template(String),
    /// A remote repository.
    Git {
        /// Its address.
        url: String,
        /// `None`: the repository's default branch.
        #[serde(default)]
        branch: Option<String>,
        /// For a private repository over HTTPS.
        #[serde(default)]
        token: Option<String>,
        /// Over SSH, where the server shows another key than before: the new one's fingerprint.
        #[serde(default)]
        accept_host_key: Option<String>,
    },
    /// A repository that the GitHub App reaches.
    Github {
        /// GitHub's number of the installation.
        installation_id: i64,
        /// `owner/name`
        repository: String,
        /// `None`: the repository's default branch.
        #[serde(default)]
        branch: Option<String>,
    },
    /// An empty repository kept by the platform.
    Hosted {},
}

/// What a person sends to make a site.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// `None`: the caller's first team.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// Name for people.
    pub name: String,
    /// `None`: made from the name.
    #[serde(default)]
    pub slug: Option<String>,
    /// Where the code comes from.
    pub source: NewSource,
}

/// The secrets that every environment is given at its birth.
pub(crate) fn new_environment_secrets() -> BTreeMap<String, String> {
    ["JWT_SECRET", "SESSION_SECRET", "DB_PASSWORD"].map(|key| (key.to_owned(), random_secret())).into()
}

/// Names the place of a site's secret, to which it is bound.
pub(crate) fn secret_row(site: SiteId, what: &str) -> String {
    format!("sites/{site}/{what}")
}

/// Names the place of an environment's secrets.
pub(crate) fn environment_row(environment: EnvironmentId) -> String {
    format!("environments/{environment}/secrets")
}

/// Makes a site and queues its first deployment. A hosted site begins empty: its first push is its first deployment.
///
/// # Errors
/// 422 with every field that is wrong, `deploy_key_needed` for an SSH address whose key has just been made (the same
/// request works once the key was added at the forge), 409 `slug_taken`, 403 where the role in the team does not allow it
/// or `quota_exceeded`, 503
/// `no_subnet` where the pool of subnets is used up.
pub async fn create(platform: &Platform, actor: &Actor, new: NewSite) -> Result<CreatedSite> {
    let team = access::team_to_write(actor, new.team_id)?;
    let (name, slug, mut source, token) = parse(platform, &new)?;
    let mut way = Way::Token(token);
    if let Wanted::GitHub { installation, repository, branch } = source {
        let ((installation, repository), token, url) =
            github::pick::way(platform, team, installation, &repository).await?;
        way = Way::App { token, installation, repository };
        source = Wanted::Git { url, branch, accept: None };
    }
    {
        let mut conn = platform.pool.acquire().await?;
        if super::slug_taken(&mut conn, &slug).await? {
            return Err(slug_taken(&slug));
        }
        // Before anything is fetched; decided again when the site is made.
        quotas::may_make_site(platform, &mut conn, team).await?;
    }
    if let Wanted::Git { url, branch, accept } = &mut source {
        if url.ssh().is_some() {
            way = Way::Key(Box::new(
                repository::waiting_key(platform, actor, team, url, None, "source").await?.named(&slug),
            ));
        }
        *branch = Some(way.ask(platform, url, branch.clone(), accept.as_deref(), "source").await?);
        // That took its time: the caller may have been removed from the team meanwhile.
        access::team_to_write(&members::still(platform, actor).await?, Some(team))?;
    }

    let id = SiteId::new();
    let repository = platform.repository(id);
    let stored = match source {
        Wanted::Template(template) => {
            let folder = platform.settings.templates_dir.join(&template);
            forge::hosted::create_from_template(&repository, &folder, &forge::hosted::Author::platform()).await?;
            Source::Template(template)
        }
        Wanted::Hosted => {
            forge::hosted::create_empty(&repository).await?;
            Source::Hosted {}
        }
        Wanted::Git { url, branch, .. } => {
            Source::Git { url, branch: branch.ok_or_else(|| anyhow::anyhow!("a branch was chosen above"))? }
        }
        Wanted::GitHub { .. } => return Err(anyhow::anyhow!("its repository was chosen above").into()),
    };
    let made = insert(platform, actor, team, id, &name, &slug, &stored, &way).await;
    let (deployment_id, secret) = match made {
        Ok(made) => made,
        Err(error) => {
            if stored.is_hosted() {
                forge::hosted::remove(&repository).await.context("removing the repository of a refused site")?;
            }
            let is_taken = matches!(error.constraint(), Some("sites_slug_key" | "environments_host_key"));
            return Err(if is_taken { slug_taken(&slug) } else { error });
        }
    };
    platform.wake.notify_one();
    let mut site = get(platform, actor, id).await?;
    site.webhook.secret = Some(secret);
    Ok(CreatedSite { site, deployment_id })
}

#[allow(clippy::too_many_arguments)]
async fn insert(
    platform: &Platform,
    actor: &Actor,
    team: TeamId,
    id: SiteId,
    name: &DisplayName,
    slug: &SiteSlug,
    source: &Source,
    way: &Way,
) -> Result<(Option<model::DeploymentId>, String)> {
    let secret = random_secret();
    let sealed_secret = platform.vault.seal(&secret_row(id, "webhook"), secret.as_bytes())?;
    let sealed_token = way.sealed_token(platform, id)?;
    let environment = EnvironmentId::new();
    let secrets = serde_json::to_vec(&new_environment_secrets()).context("writing an environment's secrets")?;
    let sealed_secrets = platform.vault.seal(&environment_row(environment), &secrets)?;
    let branch = match source {
        Source::Git { branch, .. } => branch.as_str(),
        Source::Template(_) | Source::Hosted {} => forge::hosted::DEFAULT_BRANCH,
    };

    let mut tx = platform.pool.begin().await?;
    quotas::may_make_site(platform, &mut tx, team).await?;
    if !matches!(source, Source::Hosted {}) {
        quotas::may_deploy(platform, &mut tx, team).await?;
    }
    store::sites::insert(
        &mut tx,
        &store::sites::NewSite {
            id,
            team,
            slug: slug.as_str(),
            name: name.as_str(),
            source,
            webhook_secret: &sealed_secret,
            repository_token: sealed_token.as_deref(),
        },
    )
    .await?;
    match way {
        Way::Key(key) => key.put(&mut tx, team, id).await?,
        Way::App { installation, repository, .. } => {
            store::github::set_site(&mut tx, team, id, *installation, *repository).await?;
        }
        Way::Token(_) => {}
    }
    let subnets = crate::plan::subnet_count(&platform.settings);
    let new_environment = store::environments::NewEnvironment {
        id: environment,
        team,
        site: id,
        name: "production",
        host: slug.as_str(),
        branch,
        root: "",
        watch: &[],
        secrets: &sealed_secrets,
    };
    if !store::environments::insert(&mut tx, &new_environment, subnets).await? {
        return Err(Problem::new(
            503,
            "no_subnet",
            "This machine's pool of networks is used up; ask the operator for a larger WEBMETEOR_SUBNET_POOL.",
        )
        .into());
    }
    store::events::insert(&mut tx, team, &Event::Site { id, status: "new".into() }).await?;
    let after = json!({ "slug": slug.as_str(), "source": source, "branch": branch });
    audit::record(&mut tx, actor, Entry::new("site.create", id, name.as_str()).of(team).change(None, after)).await?;
    let deployment = match source {
        Source::Hosted {} => None,
        Source::Template(_) | Source::Git { .. } => Some(
            enqueue(
                &mut tx,
                &Queued {
                    team,
                    site: id,
                    environment,
                    trigger: Trigger::Create,
                    triggered_by: actor.user,
                    branch: Some(branch),
                    commit: None,
                    message: None,
                    author: None,
                    from_release: None,
                    variables: None,
                    reason: None,
                },
            )
            .await?,
        ),
    };
    tx.commit().await?;
    Ok((deployment, secret))
}

enum Wanted {
    Template(String),
    Git { url: RepoUrl, branch: Option<BranchName>, accept: Option<String> },
    GitHub { installation: i64, repository: String, branch: Option<BranchName> },
    Hosted,
}

/// All fields at once, so that a person corrects them at once.
fn parse(platform: &Platform, new: &NewSite) -> Result<(DisplayName, SiteSlug, Wanted, Option<String>)> {
    let mut errors = vec![];
    let mut note = |field: &str, e: NameError| {
        errors.push(FieldError { field: field.to_owned(), code: e.code.to_owned(), message: e.message });
    };
    let name = DisplayName::parse(&new.name).map_err(|e| note("name", e)).ok();
    let raw_slug = match new.slug.as_deref().map(str::trim) {
        Some(slug) if !slug.is_empty() => slug.to_owned(),
        _ => suggest_slug(&new.name),
    };
    let slug = SiteSlug::parse(&raw_slug).map_err(|e| note("slug", e)).ok();
    let mut token = None;
    let source = match &new.source {
        NewSource::Hosted {} => Some(Wanted::Hosted),
        NewSource::Template(id) => {
            let known = templates(platform)?;
            if known.iter().any(|t| t.id == *id) {
                Some(Wanted::Template(id.clone()))
            } else {
                let have: Vec<String> = known.into_iter().map(|t| t.id).collect();
                note(
                    "source",
                    NameError {
                        code: "template",
                        message: format!("There is no such template; there are: {}.", have.join(", ")),
                    },
                );
                None
            }
        }
        NewSource::Github { installation_id, repository, branch } => {
            let branch = branch.as_deref().map(str::trim).filter(|b| !b.is_empty()).map(BranchName::parse).transpose();
            let branch = branch.map_err(|e| note("source.branch", e)).ok();
            let repository = repository.clone();
            branch.map(|branch| Wanted::GitHub { installation: *installation_id, repository, branch })
        }
        NewSource::Git { url, branch, token: given, accept_host_key } => {
            let url = RepoUrl::parse(url).map_err(|e| note("source.url", e)).ok();
            let branch = branch.as_deref().map(str::trim).filter(|b| !b.is_empty()).map(BranchName::parse).transpose();
            let branch = branch.map_err(|e| note("source.branch", e)).ok();
            token = given
                .as_deref()
                .map(parse_token)
                .transpose()
                .map_err(|e| note("source.token", e))
                .ok()
                .flatten()
                .flatten();
            if token.is_some() && url.as_ref().is_some_and(|url| url.ssh().is_some()) {
                note("source.token", repository::token_over_ssh());
            }
            let accept = accept_host_key.clone();
            url.zip(branch).map(|(url, branch)| Wanted::Git { url, branch, accept })
        }
    };
    match (name, slug, source) {
        (Some(name), Some(slug), Some(source)) if errors.is_empty() => Ok((name, slug, source, token)),
        _ => {
            let mut problem = Problem::new(422, "invalid_input", "Correct the fields that are marked.");
            problem.errors = errors;
            Err(problem.into())
        }
    }
}

fn slug_taken(slug: &SiteSlug) -> crate::Error {
    let mut problem = Problem::conflict("slug_taken", format!("The address “{slug}” is taken; choose another."));
    problem.errors.push(FieldError {
        field: "slug".into(),
        code: "slug_taken".into(),
        message: problem.detail.clone(),
    });
    problem.into()
}
