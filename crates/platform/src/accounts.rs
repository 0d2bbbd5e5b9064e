//! Accounts and teams: registering, signing in, and who may do what.

use crate::{
    Error, Platform, Result, Signup, access, admin,
    passwords::{self, Verdict},
    vault,
};
pub use model::views::SignupState;
use model::{
    Actor, FieldError, Problem, Role, UserId,
    names::{DisplayName, Email, NameError, TeamSlug},
    views::{TeamView, UserView},
};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use std::fmt;
use store::{
    refresh_tokens, sessions, settings, teams as team_rows,
    users::{self, NewUser, User},
};

/// The key under which a browser session holds the account's id ([`UserId`]).
pub const SESSION_USER: &str = sessions::USER;

/// Where the hash of the one-time set-up token is kept until it is used.
const SETUP_TOKEN: &str = "setup_token_sha256";

/// What a person sends to register.
#[derive(Clone, Deserialize)]
pub struct Registration {
    /// Address.
    pub email: String,
    /// Password, 12 characters or more.
    pub password: String,
    /// Name for people.
    pub name: String,
    /// Only where no administrator exists yet.
    #[serde(default)]
    pub setup_token: Option<String>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("email", &self.email).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A new account with its personal team.
#[derive(Debug, Clone, Serialize)]
pub struct Registered {
    /// The account.
    pub user: UserView,
    /// Its personal team.
    pub team: TeamView,
}

/// Who may register now.
pub async fn signup_state(platform: &Platform) -> Result<SignupState> {
    let mut conn = platform.pool.acquire().await?;
    let has_admin = users::admin_exists(&mut conn).await?;
    let mode = admin::mode(platform, &mut conn).await?;
    Ok(match (mode == Signup::Open, has_admin) {
        (true, true) => SignupState::Open,
        (true, false) => SignupState::OpenWithoutAdmin,
        (false, true) => SignupState::Closed,
        (false, false) => SignupState::NeedsSetupToken,
    })
}

/// Makes an account and its personal team. With the one-time set-up token the account becomes the first administrator,
/// and the token is spent with it.
///
/// # Errors
/// 403 `signup_closed`; 422 with every field that is wrong; 409 `email_taken`.
pub async fn register(platform: &Platform, new: Registration) -> Result<Registered> {
    let state = signup_state(platform).await?;
    if state == SignupState::Closed {
        return Err(
            Problem::new(403, "signup_closed", "Accounts are made by invitation here; ask an administrator.").into()
        );
    }
    let token = new.setup_token.as_deref().map(str::trim).filter(|token| !token.is_empty());
    let mut errors = Vec::new();
    if state == SignupState::NeedsSetupToken && token.is_none() {
        let message = "The first account needs the set-up token; it is printed when the platform starts.";
        errors.push(field_error("setup_token", "required", message));
    }
    let fields = Fields::parse(&new, errors)?;
    let hash = passwords::hash(&new.password).await?;
    let mut tx = platform.pool.begin().await?;
    if let Some(token) = token
        && !spend_setup_token(&mut tx, token).await?
    {
        let message = "This set-up token is not valid, or was used before; the platform prints a new one at each start \
                       until there is an administrator.";
        return Err(Problem::invalid("setup_token", "invalid", message).into());
    }
    let registered = insert(&mut tx, &fields, &hash, token.is_some()).await?;
    tx.commit().await?;
    Ok(registered)
}

/// Makes an account whoever may register, for the command line and the demo; a set-up token in `new` is not looked at.
///
/// # Errors
/// 422 with every field that is wrong; 409 `email_taken`.
pub async fn create_user(platform: &Platform, new: Registration, is_admin: bool) -> Result<Registered> {
    let fields = Fields::parse(&new, Vec::new())?;
    let hash = passwords::hash(&new.password).await?;
    let mut tx = platform.pool.begin().await?;
    let registered = insert(&mut tx, &fields, &hash, is_admin).await?;
    if is_admin {
        settings::delete(&mut tx, SETUP_TOKEN).await?;
    }
    tx.commit().await?;
    Ok(registered)
}

/// Makes the account with this address an administrator.
///
/// # Errors
/// 404 if there is no such account.
pub async fn promote(platform: &Platform, email: &str) -> Result<UserView> {
    let mut tx = platform.pool.begin().await?;
    let email = Email::parse(email).map_err(|e| Problem::invalid("email", e.code, e.message))?;
    let user = users::promote(&mut tx, email.as_str()).await?.ok_or_else(|| Problem::not_found("account"))?;
    settings::delete(&mut tx, SETUP_TOKEN).await?;
    tx.commit().await?;
    Ok(view(user))
}

/// Gives the account with this address a random password, which is returned, and ends all that it is signed in with.
///
/// # Errors
/// 404 if there is no such account.
pub async fn reset_password(platform: &Platform, email: &str) -> Result<String> {
    let email = Email::parse(email).map_err(|e| Problem::invalid("email", e.code, e.message))?;
    let password = passwords::random();
    let hash = passwords::hash(&password).await?;
    let mut tx = platform.pool.begin().await?;
    let user = users::find_by_email(&mut tx, email.as_str()).await?.ok_or_else(|| Problem::not_found("account"))?;
    replace_password(&mut tx, user.id, &hash).await?;
    tx.commit().await?;
    Ok(password)
}

/// The set-up token to print at start: a fresh one as long as there is no administrator, so that a lost one locks
/// nobody out; `None` once there is one. Only its hash is stored, and the one of an earlier start is void.
pub async fn ensure_setup_token(platform: &Platform) -> Result<Option<String>> {
    let mut tx = platform.pool.begin().await?;
    if users::admin_exists(&mut tx).await? {
        return Ok(None);
    }
    let token = vault::random_secret();
    settings::put(&mut tx, SETUP_TOKEN, &setup_digest(&token)).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// The account with this address and password; 401 `bad_credentials` for either being wrong, after the same work.
pub async fn sign_in(platform: &Platform, email: &str, password: &str) -> Result<UserView> {
    let user = match Email::parse(email) {
        Ok(email) => users::find_by_email(&mut *platform.pool.acquire().await?, email.as_str()).await?,
        Err(_) => None,
    };
    let too_long = password.chars().count() > passwords::MAX_CHARS;
    let stored = user.as_ref().map(|user| user.password_hash.as_str()).filter(|_| !too_long);
    let verdict = passwords::verify(if too_long { "" } else { password }, stored).await?;
    let (Some(user), Verdict::Right | Verdict::RightButOutdated) = (user, verdict) else {
        return Err(
            Problem::new(401, "bad_credentials", "This address and this password do not belong together.").into()
        );
    };
    if verdict == Verdict::RightButOutdated {
        let hash = passwords::hash(password).await?;
        let mut conn = platform.pool.acquire().await?;
        users::replace_hash(&mut conn, user.id, &user.password_hash, &hash).await?;
    }
    Ok(view(user))
}

/// The actor for a signed-in account; `None` if the account is gone.
pub async fn actor(platform: &Platform, user: UserId) -> Result<Option<Actor>> {
    let mut conn = platform.pool.acquire().await?;
    let Some(account) = users::get(&mut conn, user).await? else { return Ok(None) };
    let memberships = team_rows::of_user(&mut conn, user).await?;
    Ok(Some(Actor {
        user: Some(user),
        memberships: memberships.into_iter().map(|m| (m.team.id, m.role)).collect(),
        is_admin: account.is_admin,
        ..Actor::nobody()
    }))
}

/// The caller's own account.
pub async fn me(platform: &Platform, actor: &Actor) -> Result<UserView> {
    Ok(view(own_account(platform, actor).await?))
}

/// The caller's teams, with its role in each, the oldest membership first.
pub async fn teams(platform: &Platform, actor: &Actor) -> Result<Vec<TeamView>> {
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let mut conn = platform.pool.acquire().await?;
    let memberships = team_rows::of_user(&mut conn, user).await?;
    let mine = memberships.into_iter().filter(|m| actor.role_in(m.team.id).is_some());
    Ok(mine.map(|m| team_view(m.team, m.role)).collect())
}

/// Gives the caller's account another name; its teams keep theirs.
///
/// # Errors
/// 422 for the field `name`.
pub async fn rename(platform: &Platform, actor: &Actor, name: &str) -> Result<UserView> {
    access::in_person(actor)?;
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let name = DisplayName::parse(name).map_err(|e| Problem::invalid("name", e.code, e.message))?;
    let mut conn = platform.pool.acquire().await?;
    let renamed = users::rename(&mut conn, user, name.as_str()).await?;
    Ok(view(renamed.ok_or_else(Problem::unauthenticated)?))
}

/// Changes the caller's password and ends every session and refresh token of the account. A caller with a session of
/// its own keeps it by giving it a new id afterwards (`Session::cycle_id`), which stores it anew.
///
/// # Errors
/// 422 for the fields `current_password` and `new_password`.
pub async fn change_password(platform: &Platform, actor: &Actor, current: &str, new: &str) -> Result<()> {
    access::in_person(actor)?;
    let user = own_account(platform, actor).await?;
    if passwords::verify(current, Some(&user.password_hash)).await? == Verdict::Wrong {
        return Err(Problem::invalid("current_password", "wrong", "This is not your current password.").into());
    }
    passwords::check(new, &[&user.email, &user.name])
        .map_err(|e| Problem::invalid("new_password", e.code, e.message))?;
    let hash = passwords::hash(new).await?;
    let mut tx = platform.pool.begin().await?;
    replace_password(&mut tx, user.id, &hash).await?;
    tx.commit().await?;
    Ok(())
}

/// Input that was parsed.
struct Fields {
    email: Email,
    name: DisplayName,
}

impl Fields {
    /// Parses all fields, so that a person sees at once all that is wrong; `errors` is what was found before.
    fn parse(new: &Registration, mut errors: Vec<FieldError>) -> Result<Self, Problem> {
        let mut keep = |field: &str, e: NameError| errors.push(field_error(field, e.code, &e.message));
        let email = Email::parse(&new.email).map_err(|e| keep("email", e)).ok();
        let name = DisplayName::parse(&new.name).map_err(|e| keep("name", e)).ok();
        passwords::check(&new.password, &[&new.email, &new.name]).unwrap_or_else(|e| keep("password", e));
        match (email, name) {
            (Some(email), Some(name)) if errors.is_empty() => Ok(Self { email, name }),
            _ => {
                let detail = match errors.as_slice() {
                    [only] => only.message.clone(),
                    several => format!("{} fields need another look.", several.len()),
                };
                Err(Problem { errors, ..Problem::new(422, "invalid_input", detail) })
            }
        }
    }
}

fn field_error(field: &str, code: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), code: code.to_owned(), message: message.to_owned() }
}

/// The account, its team and its membership, in the caller's transaction.
async fn insert(conn: &mut PgConnection, fields: &Fields, hash: &str, is_admin: bool) -> Result<Registered> {
    let new = NewUser { email: fields.email.as_str(), name: fields.name.as_str(), password_hash: hash, is_admin };
    let user = users::insert(conn, new).await.map_err(email_taken)?;
    let team = personal_team(conn, &user).await?;
    team_rows::set_member(conn, team.id, user.id, Role::Owner).await?;
    Ok(Registered { user: view(user), team: team_view(team, Role::Owner) })
}

fn email_taken(error: sqlx::Error) -> Error {
    let error = Error::from(error);
    if error.constraint() == Some(users::EMAIL_KEY) {
        let message = "There is an account with this address already; sign in, or register with another address.";
        let mut problem = Problem::conflict("email_taken", message);
        problem.errors.push(field_error("email", "email_taken", message));
        return problem.into();
    }
    error
}

async fn personal_team(conn: &mut PgConnection, user: &User) -> Result<team_rows::Team> {
    let base = team_slug(&user.name, &user.email);
    for suffix in 1..=30 {
        // The first few in order, because they read well; then at random, so that a popular name needs no long search.
        let slug = match suffix {
            1 => base.clone(),
            2..=9 => format!("{base}{suffix}"),
            _ => format!("{base}{}", rand::rng().random_range(10..1_000_000)),
        };
        let slug = TeamSlug::parse(&slug).map_err(anyhow::Error::from)?;
        if let Some(team) = team_rows::insert(conn, slug.as_str(), &user.name).await? {
            return Ok(team);
        }
    }
    Err(anyhow::anyhow!("no short name is left for a team like “{base}”").into())
}

/// Letters and digits of the name, else of the address; short enough for six digits more.
fn team_slug(name: &str, email: &str) -> String {
    let plain =
        |text: &str| -> String { text.to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(18).collect() };
    let local = email.split('@').next().unwrap_or_default();
    [plain(name), plain(local)].into_iter().find(|slug| slug.len() >= 2).unwrap_or_else(|| "team".to_owned())
}

/// Spends the set-up token; `false` if it is another, or if there is an administrator by now.
async fn spend_setup_token(conn: &mut PgConnection, token: &str) -> Result<bool> {
    Ok(settings::take(conn, SETUP_TOKEN, &setup_digest(token)).await? && !users::admin_exists(conn).await?)
}

fn setup_digest(token: &str) -> Value {
    json!(hex::encode(Sha256::digest(token.as_bytes())))
}

async fn replace_password(conn: &mut PgConnection, user: UserId, hash: &str) -> Result<()> {
    users::set_password(conn, user, hash).await?;
    refresh_tokens::revoke_of_user(conn, user).await?;
    sessions::delete_of_user(conn, user).await?;
    Ok(())
}

async fn own_account(platform: &Platform, actor: &Actor) -> Result<User> {
    let user = actor.user.ok_or_else(Problem::unauthenticated)?;
    let mut conn = platform.pool.acquire().await?;
    Ok(users::get(&mut conn, user).await?.ok_or_else(Problem::unauthenticated)?)
}

fn view(user: User) -> UserView {
    UserView { id: user.id, email: user.email, name: user.name, is_admin: user.is_admin, created_at: user.created_at }
}

fn team_view(team: team_rows::Team, role: Role) -> TeamView {
    TeamView { id: team.id, slug: team.slug, name: team.name, role: Some(role) }
}

#[cfg(test)]
mod tests;
