//! Secrets of every kind, brought into the database on the ways that people and the platform bring them.

use super::{PASSWORD, World, site_of};
use crate::{
    accounts, api_tokens,
    api_tokens::NewToken,
    deploy_keys, github,
    invitations::{self, NewInvitation},
    mail::{self, Mail},
    sign_in::totp,
    signing, tokens, variables,
    variables::{NewVariable, NewVariables, Of},
    vault::random_secret,
    webhooks,
    webhooks::Rotation,
};
use forge::{git::KeyPair, report::GitHub};
use model::{
    DeployKeyId, MailId, Role,
    names::{BranchName, Email, RepoUrl},
    site::Source,
};
use secrecy::ExposeSecret;
use serde_json::json;
use store::deploy_keys::NewDeployKey;
use time::{Duration, OffsetDateTime};

/// What is planted: what it is, and the secret itself.
pub type Secrets = Vec<(&'static str, String)>;

/// A secret that is like no other text, with characters that encodings change.
fn marked(what: &str) -> String {
    format!("{what}/{} \"+é&=", random_secret())
}

impl World {
    /// Puts at least one secret into every place that holds any.
    pub async fn plant(&mut self) -> Secrets {
        let (mut all, codes) = self.second_factor().await;
        all.extend(self.accounts(&codes).await);
        all.push(self.mailed_link().await);
        all.extend(self.invitation().await);
        all.extend(self.sites().await);
        all.extend(self.github_app().await);
        all.push(self.mail().await);
        let now = OffsetDateTime::now_utc();
        signing::to_sign(&self.platform, now).await.unwrap();
        all.extend(self.platform.signing.written().into_iter().map(|key| ("signing key", key)));
        all.extend(self.platform.vault.written().into_iter().map(|key| ("master key", key)));
        all
    }

    /// With the recovery codes, as they are shown.
    async fn second_factor(&self) -> (Secrets, Vec<String>) {
        let now = OffsetDateTime::now_utc();
        let setup = totp::begin(&self.platform, &self.actor, PASSWORD, now).await.unwrap();
        let written = setup.secret.replace(' ', "");
        let secret = totp_rs::Secret::try_from_base32(written.clone()).unwrap();
        let bytes = hex::encode(secret.as_bytes());
        let app = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        let code = app.generate(now.unix_timestamp().unsigned_abs()).to_string();
        let codes = totp::confirm(&self.platform, &self.actor, &code, now).await.unwrap();
        let mut all = vec![("second factor", written), ("second factor, in bytes", bytes)];
        for code in &codes {
            all.push(("recovery code", code.clone()));
            all.push(("recovery code, as it is hashed", code.replace('-', "")));
        }
        (all, codes)
    }

    async fn accounts(&self, codes: &[String]) -> Secrets {
        let setup = accounts::ensure_setup_token(&self.platform).await.unwrap().unwrap();
        let pair = tokens::issue(&self.platform, self.actor.user.unwrap()).await.unwrap();
        let second = tokens::refresh(&self.platform, &pair.refresh_token).await.unwrap();
        let new = NewToken { name: "Pipeline".into(), scopes: vec!["deploy".into()], ..NewToken::default() };
        let made = api_tokens::create(&self.platform, &self.actor, new).await.unwrap();
        self.keep_to_show("fresh_token", &made.token).await;
        self.keep_to_show("fresh_recovery_codes", &codes.join("\n")).await;
        vec![
            ("password", PASSWORD.into()),
            ("set-up token", setup),
            ("access token", pair.access_token),
            ("spent refresh token", pair.refresh_token),
            ("refresh token", second.refresh_token),
            ("API token", made.token),
        ]
    }

    /// In a session of its own, as the pages keep what they show once until they do.
    async fn keep_to_show(&self, key: &str, secret: &str) {
        let data = json!({ key: api_tokens::wrap(&self.platform, secret).unwrap() });
        let until = OffsetDateTime::now_utc() + Duration::HOUR;
        let mut conn = self.platform.pool.acquire().await.unwrap();
        assert!(store::sessions::insert(&mut conn, key, &data, until).await.unwrap());
    }

    async fn sites(&self) -> Secrets {
        let (platform, actor, site) = (&self.platform, &self.actor, self.site);
        let old = webhooks::rotate_secret(platform, actor, site, Rotation::default()).await.unwrap().secret.unwrap();
        let new = webhooks::rotate_secret(platform, actor, site, Rotation::default()).await.unwrap().secret.unwrap();
        let (secret, open, preview) = (marked("secret"), marked("open"), marked("preview"));
        let variable =
            |name: &str, value: &str, secret| NewVariable { name: name.into(), value: Some(value.into()), secret };
        for (of, variables) in [
            (Of::Environment("production"), vec![variable("KEY", &secret, true), variable("MODE", &open, false)]),
            (Of::Previews, vec![variable("KEY", &preview, true)]),
        ] {
            variables::replace(platform, actor, site, of, NewVariables { version: None, variables }).await.unwrap();
        }
        let token = marked("repository");
        let url = RepoUrl::parse("https://example.org/ada/shop.git").unwrap();
        let source = Source::Git { url, branch: BranchName::parse("main").unwrap() };
        site_of(platform, self.team, "with-token", &source, Some(&token)).await;
        let key = self.deploy_key().await;
        vec![
            ("webhook secret", new),
            ("webhook secret before", old),
            ("secret variable", secret),
            ("variable", open),
            ("variable of previews", preview),
            ("repository token", token),
            ("deploy key", key),
        ]
    }

    /// As [`crate::deploy_keys`] makes one, without the server that it would be for.
    async fn deploy_key(&self) -> String {
        let (id, pair) = (DeployKeyId::new(), KeyPair::generate().unwrap());
        let private = pair.private_key.expose_secret().to_owned();
        let new = NewDeployKey {
            id,
            team: self.team,
            url: "ssh://git@example.org/ada/shop.git",
            public_key: &pair.public_key,
            private_key: &self.platform.vault.seal(&deploy_keys::row_name(id), private.as_bytes()).unwrap(),
            host_key: "ssh-ed25519 AAAA",
        };
        let mut conn = self.platform.pool.acquire().await.unwrap();
        assert!(store::deploy_keys::insert(&mut conn, &new, 1).await.unwrap());
        private
    }

    async fn github_app(&mut self) -> Secrets {
        let server = github::tests::server::Server::start().await;
        self.platform.settings.allow_private_repositories = true;
        self.platform.settings.github =
            GitHub { url: server.base.parse().unwrap(), api: format!("{}/api/v3", server.base).parse().unwrap() };
        let admin = model::Actor { is_admin: true, ..self.actor.clone() };
        github::register(&self.platform, &admin, "manifest-code").await.unwrap();
        let app = github::app(&self.platform).await.unwrap().unwrap();
        let written = serde_json::to_value(&app).unwrap();
        let secret = |name: &str| written[name].as_str().unwrap().to_owned();
        vec![
            ("GitHub's webhook secret", secret("webhook_secret")),
            ("GitHub's client secret", secret("client_secret")),
            ("GitHub's key", secret("pem")),
        ]
    }

    /// By which a forgotten password is set anew.
    async fn mailed_link(&self) -> (&'static str, String) {
        accounts::request_reset(&self.platform, "ada@example.org").await.unwrap();
        let rows: Vec<(MailId, Vec<u8>)> =
            sqlx::query_as("select id, sealed from mails where sealed is not null order by id desc")
                .fetch_all(&self.platform.pool)
                .await
                .unwrap();
        let mut texts = rows.iter().map(|(id, sealed)| mail::tests::opened(&self.platform, *id, sealed).text);
        let token = texts.find_map(|text| Some(text.split_once("?token=")?.1.lines().next()?.to_owned()));
        ("token of a mailed link", token.expect("a link was sent"))
    }

    /// With both of its links: the one that is shown, and the one that is mailed.
    async fn invitation(&self) -> Secrets {
        let new = NewInvitation { email: "grace@example.org".into(), role: Role::Developer };
        let made = invitations::create(&self.platform, &self.actor, self.team, &new).await.unwrap();
        self.keep_to_show("fresh_invitation", &made.link).await;
        let shown = made.link.rsplit('/').next().unwrap().to_owned();
        let id = made.invitation.id;
        let sealed: Vec<u8> = sqlx::query_scalar("select mail_sealed from invitations where id = $1")
            .bind(id)
            .fetch_one(&self.platform.pool)
            .await
            .unwrap();
        let mailed = self.platform.vault.open(&invitations::row_name(id), &sealed).unwrap();
        vec![
            ("link of an invitation, as it is shown", shown),
            ("link of an invitation, as it is mailed", String::from_utf8(mailed).unwrap()),
        ]
    }

    async fn mail(&self) -> (&'static str, String) {
        let link = format!("http://localhost:3000/reset/{}", random_secret());
        let mail = Mail { subject: "Reset".into(), text: format!("Open this:\n\n{link}\n") };
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let to = Email::parse("ada@example.org").unwrap();
        mail::send(&self.platform, &mut conn, &to, &mail).await.unwrap();
        ("link in a mail", link)
    }
}
