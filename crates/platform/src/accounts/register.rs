//! Making accounts: who may, what is checked, and the first administrator.

use super::{links, view, words};
use crate::{
    Error, Platform, Result, Signup, admin,
    audit::{self, Entry},
    mail, passwords, teams, vault,
};
pub use model::views::SignupState;
use model::{
    Actor, FieldError, Problem, Role,
    names::{DisplayName, Email, NameError},
    views::{TeamView, UserView},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use std::{fmt, time::Duration};
use store::{
    account_links,
    account_links::LinkRow,
    settings, teams as team_rows,
    users::{self, NewUser},
};
use utoipa::ToSchema;

/// Where the hash of the one-time set-up token is kept until it is used.
const SETUP_TOKEN: &str = "setup_token_sha256";
/// How long a registration can be confirmed.
const LIFETIME: Duration = Duration::from_hours(24);

/// What a person sends to register.
#[derive(Clone, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Registered {
    /// The account.
    pub user: UserView,
    /// Its personal team.
    pub team: TeamView,
}

/// What came of a registration.
#[derive(Debug, Clone)]
pub enum SignedUp {
    /// The account is there.
    Made(Box<Registered>),
    /// A mail was sent to the address; what it says depends on whether there is an account, and nothing else does.
    ConfirmationSent,
}

/// Who may register now.
pub async fn signup_state(platform: &Platform) -> Result<SignupState> {
    state_now(platform, &mut *platform.pool.acquire().await?).await
}

async fn state_now(platform: &Platform, conn: &mut PgConnection) -> Result<SignupState> {
    let has_admin = users::admin_exists(conn).await?;
    Ok(match (admin::mode(platform, conn).await? == Signup::Open, has_admin) {
        (true, true) => SignupState::Open,
        (true, false) => SignupState::OpenWithoutAdmin,
        (false, true) => SignupState::Closed,
        (false, false) => SignupState::NeedsSetupToken,
    })
}

/// Registers. Where mail reaches people, the account is made only once its address is proved, and nobody is told
/// whether the address has one already. Where it does not, there is nobody to ask: the account is made at once, and so
/// it is with the set-up token, which only the operator has.
///
/// # Errors
/// 403 `signup_closed`; 422 with every field that is wrong; where the account is made at once, 409 `email_taken`.
pub async fn sign_up(platform: &Platform, actor: &Actor, new: Registration) -> Result<SignedUp> {
    let is_proven = setup_token(&new).is_some();
    if is_proven || !platform.settings.mail.transport.reaches_people() {
        return Ok(SignedUp::Made(Box::new(make(platform, actor, &new).await?)));
    }
    let fields = admit(platform, &new).await?;
    let hash = passwords::hash(&new.password).await?;
    let mut tx = platform.pool.begin().await?;
    let is_taken = users::find_by_email(&mut tx, fields.email.as_str()).await?.is_some();
    let wanted = links::For {
        kind: if is_taken { links::NOTICE } else { links::REGISTER },
        user: None,
        email: &fields.email,
        account: Some((fields.name.as_str(), &hash)),
        lifetime: LIFETIME,
    };
    let (token, may_send) = links::make(&mut tx, &wanted).await?;
    let mail = if is_taken { words::has_account(platform) } else { words::registration(platform, &token) };
    mail::send_if(platform, &mut tx, &fields.email, &mail, may_send).await?;
    tx.commit().await?;
    Ok(SignedUp::ConfirmationSent)
}

/// Makes an account and its personal team at once. With the one-time set-up token the account becomes the first
/// administrator, and the token is spent with it.
///
/// # Errors
/// 403 `signup_closed`; 422 with every field that is wrong; 409 `email_taken`.
pub async fn register(platform: &Platform, new: Registration) -> Result<Registered> {
    make(platform, &Actor::nobody(), &new).await
}

async fn make(platform: &Platform, actor: &Actor, new: &Registration) -> Result<Registered> {
    let fields = admit(platform, new).await?;
    let hash = passwords::hash(&new.password).await?;
    let token = setup_token(new);
    let mut tx = platform.pool.begin().await?;
    if let Some(token) = token
        && !spend_setup_token(&mut tx, token).await?
    {
        let message = "This set-up token is not valid, or was used before; the platform prints a new one at each start \
                       until there is an administrator.";
        return Err(Problem::invalid("setup_token", "invalid", message).into());
    }
    let is_operator = token.is_some();
    let made =
        insert(&mut tx, actor, &fields, &hash, Standing { is_admin: is_operator, is_verified: is_operator }).await?;
    tx.commit().await?;
    Ok(made)
}

/// Makes an account whoever may register, for the command line and the demo; a set-up token in `new` is not looked at.
///
/// # Errors
/// 422 with every field that is wrong; 409 `email_taken`.
pub async fn create_user(platform: &Platform, new: Registration, is_admin: bool) -> Result<Registered> {
    let fields = Fields::parse(&new, Vec::new())?;
    let hash = passwords::hash(&new.password).await?;
    let mut tx = platform.pool.begin().await?;
    let standing = Standing { is_admin, is_verified: true };
    let registered = insert(&mut tx, &Actor::nobody(), &fields, &hash, standing).await?;
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
    let change = Entry::new("account.promote", user.id, &user.email).change(None, json!({"is_admin": true}));
    audit::record(&mut tx, &Actor::nobody(), change).await?;
    tx.commit().await?;
    Ok(view(user))
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

/// Makes the account of a registration whose link was confirmed, if people may register still.
pub(super) async fn confirmed(
    platform: &Platform,
    conn: &mut PgConnection,
    actor: &Actor,
    link: &LinkRow,
) -> Result<()> {
    if state_now(platform, conn).await? == SignupState::Closed {
        return Err(signup_closed().into());
    }
    let broken = || anyhow::anyhow!("a registration is stored without its name or its password");
    let fields = Fields {
        email: Email::parse(&link.email).map_err(anyhow::Error::from)?,
        name: DisplayName::parse(link.name.as_deref().ok_or_else(broken)?).map_err(anyhow::Error::from)?,
    };
    let hash = link.password_hash.as_deref().ok_or_else(broken)?;
    insert(conn, actor, &fields, hash, Standing { is_admin: false, is_verified: true }).await?;
    account_links::void_registrations(conn, &link.email).await?;
    Ok(())
}

/// Input that was parsed.
pub(super) struct Fields {
    pub(super) email: Email,
    name: DisplayName,
}

/// What an account may from its beginning on.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) is_admin: bool,
    pub(super) is_verified: bool,
}

/// Who may register may do so with these fields; nothing of it depends on which accounts there are.
async fn admit(platform: &Platform, new: &Registration) -> Result<Fields> {
    let state = signup_state(platform).await?;
    if state == SignupState::Closed {
        return Err(signup_closed().into());
    }
    let mut errors = Vec::new();
    if state == SignupState::NeedsSetupToken && setup_token(new).is_none() {
        let message = "The first account needs the set-up token; it is printed when the platform starts.";
        errors.push(field_error("setup_token", "required", message));
    }
    Ok(Fields::parse(new, errors)?)
}

/// 403: who is not invited gets no account.
pub(crate) fn signup_closed() -> Problem {
    Problem::new(403, "signup_closed", "Accounts are made by invitation here; ask an administrator.")
}

/// The set-up token, where there is one.
fn setup_token(new: &Registration) -> Option<&str> {
    new.setup_token.as_deref().map(str::trim).filter(|token| !token.is_empty())
}

impl Fields {
    /// Parses all fields, so that a person sees at once all that is wrong; `errors` is what was found before.
    pub(super) fn parse(new: &Registration, mut errors: Vec<FieldError>) -> Result<Self, Problem> {
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
pub(super) async fn insert(
    conn: &mut PgConnection,
    actor: &Actor,
    fields: &Fields,
    hash: &str,
    standing: Standing,
) -> Result<Registered> {
    let Standing { is_admin, is_verified } = standing;
    let new = NewUser { email: fields.email.as_str(), name: fields.name.as_str(), password_hash: hash, is_admin };
    let mut user = users::insert(conn, new).await.map_err(email_taken)?;
    if is_verified {
        users::verify_email(conn, user.id, &user.email).await?;
        user.email_verified_at = Some(user.created_at);
    }
    let team = teams::make(conn, &user.name, &team_slug(&user.name, &user.email)).await?;
    team_rows::set_member(conn, team.id, user.id, Role::Owner).await?;
    let oneself = Actor { user: Some(user.id), ..actor.clone() };
    let entry = Entry::new("account.register", user.id, &user.email);
    let after = json!({"name": user.name, "email": user.email, "team": team.slug, "is_admin": is_admin});
    audit::record(conn, &oneself, entry.change(None, after)).await?;
    Ok(Registered { user: view(user), team: teams::view(team, Role::Owner) })
}

/// An account whose password nobody knows, for who came by a provider that has verified the address.
pub(crate) async fn insert_without_password(
    conn: &mut PgConnection,
    actor: &Actor,
    email: &Email,
    name: &DisplayName,
) -> Result<Registered> {
    let fields = Fields { email: email.clone(), name: name.clone() };
    let hash = passwords::hash(&passwords::random()).await?;
    let made = insert(conn, actor, &fields, &hash, Standing { is_admin: false, is_verified: true }).await?;
    users::forget_password(conn, made.user.id).await?;
    Ok(made)
}

/// What the database says of an address that another account has.
pub(super) fn email_taken(error: sqlx::Error) -> Error {
    let error = Error::from(error);
    if error.constraint() == Some(users::EMAIL_KEY) {
        let message = "There is an account with this address already; sign in, or register with another address.";
        let mut problem = Problem::conflict("email_taken", message);
        problem.errors.push(field_error("email", "email_taken", message));
        return problem.into();
    }
    error
}

/// Letters and digits of the name, else of the address; short enough for six digits more.
pub(super) fn team_slug(name: &str, email: &str) -> String {
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
