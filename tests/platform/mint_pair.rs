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
    let key = Ed25519KeyPair::from_pem(&std::env::var("IAHOME_SIGNING_KEY")?)?;
    let own = ForModule { module: module.to_owned() };
    let mut claims =
        Claims::with_custom_claims(own, Duration::from_secs(LIFE)).with_subject(subject);
    claims.invalid_before = None; // a gate whose clock is a second behind would refuse it
    Ok(Minted { token: key.sign(claims)?, expires_in: LIFE })
}
