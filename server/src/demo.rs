//! `serve --demo`: an account and a first site to look at.

use crate::{config::Config, files};
use anyhow::Context;
use model::{
    Actor, FieldError, Origin, Problem,
    views::{SiteStatus, SiteView, UserView},
};
use platform::{
    Error, Platform,
    accounts::{self, Registration},
    passwords, sign_in,
    sites::{self, NewSite, NewSource},
};
use std::path::PathBuf;

/// The demo account's address.
const EMAIL: &str = "demo@webmeteor.localhost";
/// The demo site's address and template.
const SLUG: &str = "demo";
const TEMPLATE: &str = "full-stack";

/// What is told at the end of the start.
pub struct Demo {
    password: Option<String>,
    file: PathBuf,
    site: Option<SiteView>,
}

/// Makes the account and the site unless they are there. A password that was changed by its owner is left alone.
///
/// # Errors
/// What a use case refused, or the file system.
pub async fn prepare(platform: &Platform) -> anyhow::Result<Demo> {
    let file = platform.settings.data_dir.join("demo-credentials");
    let is_new = !file.exists();
    let line = |password: &str| format!("email={EMAIL}\npassword={password}\n");
    let text = files::read_or_create(&file, || line(&passwords::random()))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    let mut password = text.lines().find_map(|l| l.strip_prefix("password=")).unwrap_or_default().to_owned();
    let account = match accounts::create_user(platform, registration(&password), true).await {
        Ok(made) => Some(made.user),
        Err(Error::Problem(taken)) if taken.status == 409 && is_new => {
            password = accounts::reset_password(platform, EMAIL).await?;
            files::write_private(&file, &line(&password), None)?;
            known(platform, &password).await
        }
        Err(Error::Problem(taken)) if taken.status == 409 => known(platform, &password).await,
        Err(error) => return Err(error.into()),
    };
    let Some(account) = account else { return Ok(Demo { password: None, file, site: None }) };
    let actor = accounts::actor(platform, account.id).await?.context("the demo account is gone")?;
    Ok(Demo { password: Some(password), file, site: site(platform, &actor).await? })
}

/// The account, as long as it is opened by this password alone.
async fn known(platform: &Platform, password: &str) -> Option<UserView> {
    sign_in::by_password_alone(platform, EMAIL, password, Origin::default()).await.ok()
}

fn registration(password: &str) -> Registration {
    Registration { email: EMAIL.into(), password: password.into(), name: "Demo".into(), setup_token: None }
}

/// The account's first site; made where it has none.
async fn site(platform: &Platform, actor: &Actor) -> anyhow::Result<Option<SiteView>> {
    let found = sites::list(platform, actor, 100, None).await?.items;
    if let Some(site) = found.iter().find(|site| site.slug == SLUG).or(found.last()) {
        return Ok(Some(site.clone()));
    }
    let new = NewSite {
        team_id: None,
        name: "Demo".into(),
        slug: Some(SLUG.into()),
        source: NewSource::Template(TEMPLATE.into()),
    };
    match sites::create(platform, actor, new).await {
        Ok(created) => Ok(Some(created.site)),
        Err(Error::Problem(Problem { status: 409, .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Demo {
    /// One block for the person at the terminal.
    #[expect(clippy::print_stdout, reason = "a password belongs to the person who started this, not into the log")]
    pub fn print(&self, config: &Config, missing: &[FieldError]) {
        let rule = "─".repeat(72);
        println!("\n{rule}");
        if missing.is_empty() {
            println!("  WebMeteor is ready\n");
        } else {
            println!("  WebMeteor has started, but cannot deploy yet:\n");
            for part in missing {
                println!("  {} does not answer: {}", part.field, part.message);
            }
            println!("  `webmeteor doctor` tells what to do. It goes on by itself once all is there.\n");
        }
        println!("  Dashboard   {}", config.public_url);
        println!("  E-mail      {EMAIL}");
        match &self.password {
            Some(password) => println!("  Password    {password}   (also in {})", self.file.display()),
            None => println!("  Password    the one you set"),
        }
        if let Some(site) = &self.site {
            let wait = match site.status {
                SiteStatus::Live => "",
                _ => "   (its first deployment takes about a minute)",
            };
            println!("  Site        {}{wait}", site.url);
            println!("\n  Change it and push (the user is the e-mail above):");
            println!("    git clone {} {}", site.repository.clone_url, site.slug);
            println!("    cd {} && git commit --all -m \"My change\" && git push", site.slug);
        }
        println!("\n  Ctrl-C stops the platform; sites stay up.");
        println!("{rule}\n");
    }
}
