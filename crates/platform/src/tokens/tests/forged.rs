//! Tokens that are no tokens of ours: none of them speaks for anybody.

use super::*;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

struct World {
    platform: Platform,
    ada: UserId,
    key: Arc<signing::SigningKey>,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let (mut platform, ada) = with_ada(pool).await;
        platform.signing = signing::SigningKeys::asking_every(std::time::Duration::ZERO);
        let key = signing::to_sign(&platform, OffsetDateTime::now_utc()).await.unwrap();
        Self { platform, ada, key }
    }

    fn header(&self) -> Value {
        header(&self.key.id)
    }

    fn claims(&self) -> Value {
        claims(self.ada, OffsetDateTime::now_utc())
    }

    fn real(&self) -> String {
        sign(&self.key.encoding, &self.header(), &self.claims())
    }

    async fn verify(&self, token: &str) -> Option<UserId> {
        verify(&self.platform, token).await.unwrap()
    }

    async fn refuses(&self, token: &str, what: &str) {
        assert_eq!(self.verify(token).await, None, "{what}: {}", token.get(..400).unwrap_or(token));
        assert_eq!(self.verify(&self.real()).await, Some(self.ada), "a real one after {what}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_algorithm_is_not_the_tokens_to_choose(pool: PgPool) {
    let world = World::new(pool).await;
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for typ in [TYPE, "JWT"] {
            let header = json!({"alg": alg, "typ": typ, "kid": world.key.id});
            let unsigned = format!("{}.{}.", encode(&header), encode(&world.claims()));
            world.refuses(&unsigned, "without a signature").await;
            let kept = world.real();
            let signature = kept.rsplit('.').next().unwrap();
            world.refuses(&format!("{unsigned}{signature}"), "another one's signature").await;
        }
    }

    // The classic confusion: HMAC with the public key, which everybody knows, as its secret.
    let set = signing::public_keys(&world.platform, OffsetDateTime::now_utc()).await.unwrap();
    let jwk = &set["keys"][0];
    let x = jwk["x"].as_str().unwrap();
    let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
    // RFC 8410, section 4: a public key's document is this prefix and the key.
    let der = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &raw].concat();
    let base64 = STANDARD.encode(&der);
    let secrets = [
        raw,
        der,
        x.as_bytes().to_vec(),
        format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n").into_bytes(),
        format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----").into_bytes(),
        jwk.to_string().into_bytes(),
        set.to_string().into_bytes(),
        Vec::new(),
    ];
    for secret in secrets {
        for alg in ["HS256", "HS384", "HS512", "EdDSA"] {
            let header = json!({"alg": alg, "typ": TYPE, "kid": world.key.id});
            let forged = sign(&EncodingKey::from_secret(&secret), &header, &world.claims());
            world.refuses(&forged, alg).await;
        }
    }
    for alg in ["ES256", "RS256", "PS512", "Ed25519", "eddsa"] {
        let header = json!({"alg": alg, "typ": TYPE, "kid": world.key.id});
        world.refuses(&sign(&world.key.encoding, &header, &world.claims()), alg).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_key_is_known_by_its_name_alone_and_none_is_taken_from_the_token(pool: PgPool) {
    let world = World::new(pool).await;
    let theirs = ed25519([5; 32]);
    let their_jwk = serde_json::to_value(Jwk::from_encoding_key(&theirs, Algorithm::EdDSA).unwrap()).unwrap();
    world.refuses(&sign(&theirs, &world.header(), &world.claims()), "another key under our name").await;
    for (name, value) in [
        ("jwk", their_jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = world.header();
        header[name] = value;
        world.refuses(&sign(&theirs, &header, &world.claims()), name).await;
        let ours = sign(&world.key.encoding, &header, &world.claims());
        assert_eq!(world.verify(&ours).await, Some(world.ada), "{name} is not heeded");
        header.as_object_mut().unwrap().remove("kid");
        world.refuses(&sign(&theirs, &header, &world.claims()), name).await;
    }
    for kid in [
        "",
        "../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "file:///etc/passwd",
        "https://evil.example/key",
        "' or 1=1 --",
        "x' union select 'AAAA",
        "'; drop table signing_keys; --",
        "\0",
        "\u{202e}",
        "signing_keys",
    ] {
        world.refuses(&sign(&theirs, &header(kid), &world.claims()), kid).await;
        world.refuses(&sign(&world.key.encoding, &header(kid), &world.claims()), kid).await;
    }
    for kid in [json!(null), json!(1), json!([world.key.id]), json!({"id": world.key.id})] {
        let header = json!({"alg": "EdDSA", "typ": TYPE, "kid": kid});
        world.refuses(&sign(&world.key.encoding, &header, &world.claims()), "a name that is none").await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_kind_of_token_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    for typ in [json!("JWT"), json!("jwt"), json!("at+JWT "), json!("application/at+jwt"), json!(null), json!(1)] {
        let mut header = world.header();
        header["typ"] = typ;
        world.refuses(&sign(&world.key.encoding, &header, &world.claims()), "typ").await;
    }
    let mut header = world.header();
    header["crit"] = json!(["b64"]);
    header["b64"] = json!(false);
    world.refuses(&sign(&world.key.encoding, &header, &world.claims()), "crit").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_claim_is_needed_and_none_is_believed_out_of_its_time(pool: PgPool) {
    let world = World::new(pool).await;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    for (claim, value) in [
        ("iss", json!("https://other.example")),
        ("iss", json!("http://localhost:3000/")),
        ("iss", json!(["http://localhost:3000"])),
        ("aud", json!("elsewhere")),
        ("aud", json!(["elsewhere"])),
        ("sub", json!("ada@example.org")),
        ("sub", json!("' or 1=1 --")),
        ("sid", json!("' or 1=1 --")),
        ("sid", json!(1)),
        ("exp", json!(now - 60)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!("9999999999")),
        ("iat", json!(now + 3600)),
        ("nbf", json!(now + 3600)),
    ] {
        let mut claims = world.claims();
        claims[claim] = value;
        world.refuses(&sign(&world.key.encoding, &world.header(), &claims), claim).await;
    }
    for claim in ["iss", "aud", "sub", "exp", "iat"] {
        let mut claims = world.claims();
        claims[claim] = Value::Null;
        world.refuses(&sign(&world.key.encoding, &world.header(), &claims), claim).await;
        claims.as_object_mut().unwrap().remove(claim);
        world.refuses(&sign(&world.key.encoding, &world.header(), &claims), claim).await;
    }
    let mut claims = world.claims();
    claims["nbf"] = json!(now - 60);
    let token = sign(&world.key.encoding, &world.header(), &claims);
    assert_eq!(world.verify(&token).await, Some(world.ada), "valid since a minute");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_cut_changed_or_far_too_long_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let real = world.real();
    let parts: Vec<&str> = real.split('.').collect();
    let mut claims = world.claims();
    claims["sub"] = json!(UserId::new());
    world.refuses(&format!("{}.{}.{}", parts[0], encode(&claims), parts[2]), "another account").await;
    let [head, body, signature] = parts[..] else { panic!("three parts") };
    for garbage in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b.c".to_owned(),
        real[..real.len() - 4].to_owned(),
        format!("{real}x"),
        format!("{real}."),
        format!(".{real}"),
        format!("{head}.{head}.{body}.{signature}"),
        format!("{head}.{body}.{signature}.{signature}"),
        format!("{head}..{body}.{signature}"),
        format!("{head}.{body}.{signature}=="),
        format!("{head}.{body}.\n{signature}"),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        ".".repeat(1_000_000),
        "A".repeat(10_000_000),
        format!("{head}.{}.{signature}", "A".repeat(10_000_000)),
    ] {
        world.refuses(&garbage, "garbage").await;
    }
    let mut long = world.claims();
    long["more"] = json!("x".repeat(LONGEST));
    world.refuses(&sign(&world.key.encoding, &world.header(), &long), "a long one, though signed").await;
}
