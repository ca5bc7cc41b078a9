use jwt_simple::prelude::*;

const LIFE: u64 = 15 * 60;

#[derive(Serialize)]
pub struct Minted {
    pub token: String,
    pub expires_in: u64,
}

#[derive(Serialize, Deserialize)]
struct ForModule {
    #[serde(rename = "moduleName")]
    module: String,
}

pub fn mint(subject: &str, module: &str) -> Result<Minted, jwt_simple::Error> {
    let secret = std::env::var("IAHOME_JWT_SECRET")?;
    if secret.len() < 32 {
        return Err(jwt_simple::Error::msg("IAHOME_JWT_SECRET is too short"));
    }
    let own = ForModule { module: module.to_owned() };
    let mut claims =
        Claims::with_custom_claims(own, Duration::from_secs(LIFE)).with_subject(subject);
    claims.invalid_before = None; // a gate whose clock is a second behind would refuse it
    let token = HS256Key::from_bytes(secret.as_bytes()).authenticate(claims)?;
    Ok(Minted { token, expires_in: LIFE })
}
