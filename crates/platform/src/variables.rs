//! The variables that people give an environment. Every change makes a new version of the whole set, sealed as one; a
//! release keeps the version it runs with. A change takes effect with the next deployment.
//!
//! A person's variable wins over the platform's of the same name ([`crate::secrets`]), so that a site can bring its own
//! database or signing key. Only what would break the site unseen is refused, see [`RESERVED`].

mod place;

pub(crate) use place::open_of_previews;

use crate::{Platform, Result, access, audit, audit::Entry, previews};
use anyhow::Context;
use model::{
    Actor, EnvironmentId, FieldError, Problem, Scope, SiteId, TeamId, dotenv,
    names::EnvKey,
    views::{VariableView, VariablesView},
};
use place::Place;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use store::environments::EnvironmentRow;
use utoipa::ToSchema;

/// The longest value, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;
/// The most variables of an environment.
pub const MAX_COUNT: usize = 500;
/// All names and values of an environment together, in bytes: a program is given at most 2 MB of arguments and
/// variables (execve(2)), and needs some for itself.
pub const MAX_TOTAL: usize = 512 * 1024;
/// `PORT` is where the platform looks for the service. Compose takes what begins with `COMPOSE_` in `.env` for its own
/// settings <https://docs.docker.com/compose/how-tos/environment-variables/envvars/>.
const RESERVED: [&str; 2] = ["PORT", "COMPOSE_"];

/// Whose variables they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// Those of the environment with this name.
    Environment(&'a str),
    /// Those that all previews of the site are given, and nothing else is.
    Previews,
}

impl<'a> From<&'a str> for Of<'a> {
    fn from(environment: &'a str) -> Self {
        Self::Environment(environment)
    }
}

impl<'a> From<&'a String> for Of<'a> {
    fn from(environment: &'a String) -> Self {
        Self::Environment(environment)
    }
}

/// A variable as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variable {
    pub(crate) value: String,
    pub(crate) secret: bool,
}

/// All variables of an environment.
pub(crate) type Set = BTreeMap<EnvKey, Variable>;

/// A variable as a person sends it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVariable {
    /// Its name.
    pub name: String,
    /// `None`: a secret keeps the value it has.
    #[serde(default)]
    pub value: Option<String>,
    /// Its value is never shown again.
    #[serde(default)]
    pub secret: bool,
}

/// All variables as a person sends them.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVariables {
    /// The version that was read before; refused as `stale` if there is a newer one. `None`: whatever is there is
    /// replaced.
    #[serde(default)]
    pub version: Option<i64>,
    /// What is not among them goes.
    pub variables: Vec<NewVariable>,
}

/// The variables of an environment, for those who may change them; values of secrets are left out.
///
/// # Errors
/// 404, 403.
pub async fn list(platform: &Platform, actor: &Actor, site: SiteId, of: impl Into<Of<'_>>) -> Result<VariablesView> {
    let mut conn = platform.pool.acquire().await?;
    let site = access::site(&mut conn, actor, site).await?;
    access::may(actor, Scope::Variables, site.team_id)?;
    let place = match of.into() {
        Of::Environment(name) => Place::Environment(Box::new(access::environment(&mut conn, &site, name).await?)),
        Of::Previews => Place::Previews(site.team_id, site.id),
    };
    let (version, set) = place.open(platform, &mut conn).await?;
    show(&mut conn, &place, version, set).await
}

/// Replaces all variables.
///
/// # Errors
/// 404, 403, 409 `site_deleting`, `environment_deleting`, `environment_is_preview` or `stale`, 422 with every variable that is wrong.
pub async fn replace(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    of: impl Into<Of<'_>>,
    new: NewVariables,
) -> Result<VariablesView> {
    let NewVariables { version, variables } = new;
    change(platform, actor, site, of.into(), version, |before| replaced(before, variables)).await
}

/// Adds a variable, or gives it another value.
///
/// # Errors
/// As [`replace`].
pub async fn put(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    of: impl Into<Of<'_>>,
    new: NewVariable,
) -> Result<VariablesView> {
    change(platform, actor, site, of.into(), None, |before| {
        let mut set = before.clone();
        let (name, variable) = parse(before, new).map_err(|(field, error)| of_fields(vec![named(field, error)]))?;
        set.insert(name, variable);
        Ok(set)
    })
    .await
}

/// Adds what a `.env` file holds; what has a name of those that are there gets its value, and a secret stays one.
///
/// # Errors
/// As [`replace`]; 422 `dotenv` for a text that cannot be read.
pub async fn import(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    of: impl Into<Of<'_>>,
    text: &str,
    as_secrets: bool,
) -> Result<VariablesView> {
    let read = dotenv::parse(text).map_err(|e| Problem::invalid("text", "dotenv", e.to_string()))?;
    if read.is_empty() {
        return Err(Problem::invalid("text", "required", "There is no NAME=value line in it.").into());
    }
    change(platform, actor, site, of.into(), None, |before| {
        let mut set = before.clone();
        let mut errors = Vec::new();
        for (name, value) in read {
            let secret = as_secrets || before.get(&name).is_some_and(|there| there.secret);
            match parse(before, NewVariable { name: name.to_string(), value: Some(value), secret }) {
                Ok((name, variable)) => drop(set.insert(name, variable)),
                Err((_, error)) => errors.push(named("text", error)),
            }
        }
        if errors.is_empty() { Ok(set) } else { Err(of_fields(errors)) }
    })
    .await
}

/// Removes a variable.
///
/// # Errors
/// As [`replace`]; 404 if there is none of this name.
pub async fn remove(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    of: impl Into<Of<'_>>,
    name: &str,
) -> Result<VariablesView> {
    change(platform, actor, site, of.into(), None, |before| {
        let mut set = before.clone();
        let known = EnvKey::parse(name).ok().and_then(|name| set.remove(&name));
        known.map(|_| set).ok_or_else(|| Problem::not_found("variable"))
    })
    .await
}

async fn change(
    platform: &Platform,
    actor: &Actor,
    site: SiteId,
    of: Of<'_>,
    expected: Option<i64>,
    decide: impl FnOnce(&Set) -> Result<Set, Problem>,
) -> Result<VariablesView> {
    let mut tx = platform.pool.begin().await?;
    let site = access::site_to_change(&mut tx, actor, Scope::Variables, site).await?;
    let place = match of {
        Of::Environment(name) => {
            Place::Environment(Box::new(access::environment_to_change(&mut tx, &site, name).await?))
        }
        Of::Previews => {
            store::pull_requests::lock(&mut tx, site.id).await?;
            Place::Previews(site.team_id, site.id)
        }
    };
    if matches!(&place, Place::Environment(environment) if environment.is_preview) {
        return Err(previews::is_preview().into());
    }
    let (version, before) = place.open(platform, &mut tx).await?;
    if expected.is_some_and(|expected| expected != version) {
        return Err(Problem::conflict(
            "stale",
            "The variables were changed meanwhile. Read them again, and make your change to what is there now.",
        )
        .into());
    }
    let after = decide(&before)?;
    check_size(&after)?;
    let version = if after == before { version } else { version + 1 };
    if after != before {
        place.store(platform, &mut tx, actor, version, &after).await?;
        let whose = match of {
            Of::Environment(name) => format!("{}/{name}", site.slug),
            Of::Previews => format!("{}/previews", site.slug),
        };
        let entry = Entry::new("variables.change", site.id, &whose).of(site.team_id);
        audit::record(&mut tx, actor, entry.change(None, names_of_change(version, &before, &after))).await?;
    }
    let view = show(&mut tx, &place, version, after).await?;
    tx.commit().await?;
    Ok(view)
}

/// What became of which variables, by their names alone: of no value is told, secret or not.
fn names_of_change(version: i64, before: &Set, after: &Set) -> Value {
    let names = |set: &Set, is_told: &dyn Fn(&EnvKey, &Variable) -> bool| -> Vec<String> {
        set.iter().filter(|(name, variable)| is_told(name, variable)).map(|(name, _)| name.to_string()).collect()
    };
    json!({
        "version": version,
        "added": names(after, &|name, _| !before.contains_key(name)),
        "changed": names(after, &|name, new| before.get(name).is_some_and(|old| old != new)),
        "removed": names(before, &|name, _| !after.contains_key(name)),
    })
}

/// Seals a version and adds it.
pub(crate) async fn insert(
    platform: &Platform,
    conn: &mut PgConnection,
    actor: &Actor,
    (team, environment, version): (TeamId, EnvironmentId, i64),
    set: &Set,
) -> Result<()> {
    let text = serde_json::to_vec(set).context("writing an environment's variables")?;
    let sealed = platform.vault.seal(&row(environment, version), &text)?;
    store::variables::insert(conn, team, environment, version, &sealed, actor.user).await?;
    Ok(())
}

/// Opens one version of an environment's variables; version 0 is empty.
pub(crate) async fn open(
    platform: &Platform,
    conn: &mut PgConnection,
    environment: &EnvironmentRow,
    version: i64,
) -> Result<Set> {
    if version == 0 {
        return Ok(Set::new());
    }
    let sealed = store::variables::sealed(conn, environment.team_id, environment.id, version)
        .await?
        .with_context(|| format!("version {version} of the variables of {} is gone", environment.id))?;
    let text = platform.vault.open(&row(environment.id, version), &sealed)?;
    Ok(serde_json::from_slice(&text).context("reading an environment's variables")?)
}

/// Names the place of a version, to which it is bound.
fn row(environment: EnvironmentId, version: i64) -> String {
    format!("environments/{environment}/variables/{version}")
}

async fn show(conn: &mut PgConnection, place: &Place, version: i64, set: Set) -> Result<VariablesView> {
    let running = match place {
        Place::Environment(environment) => match environment.current_release {
            Some(release) => store::releases::by_id(conn, environment.team_id, release).await?,
            None => None,
        },
        Place::Previews(..) => None,
    };
    let variables = set.into_iter().map(|(name, Variable { value, secret })| VariableView {
        name: name.into(),
        secret,
        value: (!secret).then_some(value),
    });
    let running_version = running.map(|release| release.variables_version);
    Ok(VariablesView { version, running_version, variables: variables.collect() })
}

/// The set that takes the place of another.
fn replaced(before: &Set, new: Vec<NewVariable>) -> Result<Set, Problem> {
    let mut set = Set::new();
    let mut errors = Vec::new();
    for (index, variable) in new.into_iter().enumerate() {
        let at = |field: &str| format!("variables[{index}].{field}");
        match parse(before, variable) {
            Ok((name, variable)) => {
                if set.insert(name.clone(), variable).is_some() {
                    errors.push(named(at("name"), refuse("duplicate", format!("{name} is there twice."))));
                }
            }
            Err((field, error)) => errors.push(named(at(field), error)),
        }
    }
    if errors.is_empty() { Ok(set) } else { Err(of_fields(errors)) }
}

/// One variable, or the field that is wrong and why.
fn parse(before: &Set, new: NewVariable) -> Result<(EnvKey, Variable), (&'static str, FieldError)> {
    let name = EnvKey::parse(&new.name).map_err(|e| ("name", refuse(e.code, e.message)))?;
    if RESERVED.iter().any(|word| match word.strip_suffix('_') {
        Some(_) => name.as_str().starts_with(word),
        None => name.as_str() == *word,
    }) {
        return Err(("name", refuse("reserved", format!("{name} is set by the platform; choose another name."))));
    }
    let value = match (new.value, before.get(&name)) {
        (Some(value), _) => value,
        // What was never secret may become so; a secret never becomes readable.
        (None, Some(there)) if new.secret => there.value.clone(),
        (None, _) => return Err(("value", refuse("required", format!("Give the value of {name}.")))),
    };
    if value.len() > MAX_VALUE {
        return Err(("value", refuse("length", format!("A value has at most 64 KB; that of {name} has more."))));
    }
    if value.contains('\0') {
        return Err(("value", refuse("characters", format!("The value of {name} has a NUL character; no value can."))));
    }
    Ok((name, Variable { value, secret: new.secret }))
}

fn check_size(set: &Set) -> Result<(), Problem> {
    if set.len() > MAX_COUNT {
        return Err(Problem::invalid(
            "variables",
            "too_many",
            format!("An environment has at most {MAX_COUNT} variables; these are {}.", set.len()),
        ));
    }
    let total: usize = set.iter().map(|(name, variable)| name.as_str().len() + variable.value.len()).sum();
    if total > MAX_TOTAL {
        let message = format!("All variables together have at most {} KB.", MAX_TOTAL / 1024);
        return Err(Problem::invalid("variables", "too_large", message));
    }
    Ok(())
}

fn refuse(code: &str, message: String) -> FieldError {
    FieldError { field: String::new(), code: code.to_owned(), message }
}

fn named(field: impl Into<String>, error: FieldError) -> FieldError {
    FieldError { field: field.into(), ..error }
}

fn of_fields(errors: Vec<FieldError>) -> Problem {
    let detail = errors.first().map(|error| error.message.clone()).unwrap_or_default();
    Problem { errors, ..Problem::new(422, "invalid_input", detail) }
}

#[cfg(test)]
mod tests;
