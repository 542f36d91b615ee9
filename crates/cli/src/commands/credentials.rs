//! `trueup credentials`: opens what was sealed, and says how to sign in.

use std::path::{Path, PathBuf};

use trueup_executor::{OpenError, Secret, SignIn, open_sealed};
use trueup_model::{
    Desired, UserName,
    desired::{LoginProfileWish, MfaLevel, Recipient},
};
use trueup_report::escape;
use zeroize::Zeroizing;

use crate::{
    args::{CredentialsCommand, CredentialsCommandArgs, CredentialsInstructionsArgs, CredentialsOpenArgs},
    environment,
    exit::{CliError, Exit},
    live::Source,
    manifest,
    terminal::Terminal,
};

pub(crate) async fn run(args: &CredentialsCommandArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    match &args.command {
        CredentialsCommand::Open(args) => open(args, terminal),
        CredentialsCommand::Instructions(args) => instructions(args, terminal).await,
    }
}

/// The ssh keys that people have, where no identity is named.
const SSH_KEYS: [&str; 2] = [".ssh/id_ed25519", ".ssh/id_rsa"];

fn open(args: &CredentialsOpenArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let sealed = read(&args.file)?;
    let identities = identities(args)?;
    let mut last = OpenError::NotForThisIdentity;
    for path in &identities {
        let text = String::from_utf8(read(path)?).map_err(|_| CliError::Content {
            path: path.clone(),
            what: "identity",
            problem: "it is no text".to_owned(),
        })?;
        let name = path.display().to_string();
        match open_sealed(&sealed, &Secret::from(text), &name, ask_passphrase) {
            Ok(opened) => {
                // Anybody can seal a text to a public key, so that it is as foreign as any.
                let lines = opened.expose().lines();
                let text: Zeroizing<String> = Zeroizing::new(
                    lines
                        .flat_map(|line| [escape::text(line), "\n".into()])
                        .collect::<String>(),
                );
                terminal.result(&text)?;
                return Ok(Exit::Done);
            }
            Err(OpenError::NotForThisIdentity) => {}
            Err(error) => last = error,
        }
    }
    let file = args.file.display();
    let hint = match &last {
        OpenError::OpenPgp => format!("GnuPG looks after its own keys: gpg --decrypt {file}"),
        OpenError::NotSealed => "sealed files end in .age or .asc; a .csv can be read as it is".to_owned(),
        OpenError::NotForThisIdentity => "name the key that it is for with --identity".to_owned(),
        OpenError::NoPassphrase => "run it on a terminal, where the passphrase can be typed".to_owned(),
        OpenError::Passphrase => "type the passphrase again".to_owned(),
        OpenError::Identity(_) => "an identity is the file of age-keygen, or an ssh private key".to_owned(),
        OpenError::Damaged(_) => "ask whoever sent it for the file again".to_owned(),
    };
    Err(CliError::refused(format!("cannot open {file}: {last}"), hint))
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

fn identities(args: &CredentialsOpenArgs) -> Result<Vec<PathBuf>, CliError> {
    let named: Vec<_> = args
        .identity
        .iter()
        .filter(|path| !path.as_os_str().is_empty())
        .cloned()
        .collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let home = environment::home_directory();
    let found: Vec<_> = home
        .iter()
        .flat_map(|home| SSH_KEYS.map(|key| home.join(key)))
        .filter(|path| path.is_file())
        .collect();
    // What is sealed with OpenPGP is told apart without any identity.
    let is_openpgp = args
        .file
        .extension()
        .is_some_and(|extension| extension == "asc" || extension == "gpg");
    if found.is_empty() && is_openpgp {
        return Err(CliError::refused(
            format!("cannot open {}: it is sealed with OpenPGP", args.file.display()),
            format!("GnuPG looks after its own keys: gpg --decrypt {}", args.file.display()),
        ));
    }
    if found.is_empty() {
        return Err(CliError::refused(
            "there is no ssh key in the home directory",
            "name an age identity or an ssh private key with --identity",
        ));
    }
    Ok(found)
}

/// Asks on the terminal itself, so that nothing of it is seen or piped.
fn ask_passphrase(identity: &str) -> Option<Secret> {
    let prompt = format!("Passphrase of {}: ", escape::text(identity));
    rpassword::prompt_password(prompt).ok().map(Secret::from)
}

async fn instructions(args: &CredentialsInstructionsArgs, terminal: &Terminal) -> Result<Exit, CliError> {
    let user = UserName::new(&args.user)
        .map_err(|error| CliError::Usage(format!("`{}` is no user name: {error}", args.user)))?;
    let desired = match manifest::locate(args.manifest.as_deref()) {
        Ok(path) => Some(manifest::load(Some(&path), None, terminal)?.0),
        Err(CliError::NoManifest) => None,
        Err(error) => return Err(error),
    };
    let declared = desired.as_ref().and_then(|desired| desired.users.get(&user));
    let account = desired.as_ref().map(|desired| &desired.account.id);
    let source = Source::open(&args.live, account).await?;
    let (live, sign_in) = match source {
        Source::Snapshot(live) => {
            let sign_in = SignIn::of(
                live.account.id.clone(),
                live.account.alias.clone(),
                &live.account.partition,
            );
            (live.users.contains_key(&user), sign_in)
        }
        Source::Api(api) => {
            let identity = api.identity(account).await?;
            let alias = api.alias().await;
            let live = api.reader.devices_of(&user).await?.is_some();
            (live, SignIn::of(identity.account, alias, &identity.partition))
        }
    };
    if declared.is_none() && !live {
        return Err(CliError::refused(
            format!("there is no user `{user}` in the manifest or the account"),
            "`trueup mfa status --all` lists the users of the account",
        ));
    }
    if !live {
        terminal.note(&format!("note: `{user}` is declared, and not in the account yet"));
    }
    terminal.result(&letter(&user, desired.as_ref(), &sign_in))?;
    Ok(Exit::Done)
}

/// The text of an e-mail.
fn letter(user: &UserName, desired: Option<&Desired>, sign_in: &SignIn) -> String {
    let declared = desired.and_then(|desired| desired.users.get(user));
    let mfa = declared
        .zip(desired)
        .and_then(|(user, desired)| trueup_planner::mfa_requirement(desired, user));
    let has_console = declared.is_none_or(|user| !matches!(user.login_profile, Some(LoginProfileWish::Absent)));
    let alias = sign_in.alias().map(|alias| format!(" ({alias})")).unwrap_or_default();
    let mut lines = vec![
        format!("Your access to AWS account {}{alias}", sign_in.account()),
        String::new(),
        format!("User name:   {user}"),
    ];
    if has_console {
        lines.push(format!("Sign-in URL: {}", sign_in.account_url()));
        if let Some(url) = sign_in.alias_url() {
            lines.push(format!("or, by name: {url}"));
        }
    }
    lines.push(String::new());
    let mut steps = Vec::new();
    match declared.map_or(&[][..], |user| &user.deliver_to) {
        [] => steps.push("You get the password or access key from your administrator, in a separate way.".to_owned()),
        recipients => {
            steps.push("You get a sealed file in a separate message. Only your own key opens it:".to_owned());
            let sealed_with = |test: fn(&Recipient) -> bool| recipients.iter().any(test);
            if sealed_with(|recipient| !matches!(recipient, Recipient::OpenPgp { .. })) {
                steps.push(
                    "   trueup credentials open FILE --identity YOUR-KEY    (or: age --decrypt -i YOUR-KEY FILE)"
                        .to_owned(),
                );
            }
            if sealed_with(|recipient| matches!(recipient, Recipient::OpenPgp { .. })) {
                steps.push("   gpg --decrypt FILE".to_owned());
            }
        }
    }
    if has_console {
        steps.push("Sign in with the account ID, your user name and the password, and choose a new password where you are asked for one.".to_owned());
    }
    let add = format!(
        "under your name, Security credentials, Assign MFA device; or with `trueup mfa enroll {user}`. Then sign out and in again."
    );
    match mfa.map(|mfa| (mfa.level, mfa.grace_days)) {
        // What enforces it knows no days of grace.
        Some((MfaLevel::Enforced, _) | (MfaLevel::Required, 0)) => {
            steps.push(format!("You must add an MFA device: {add}"));
        }
        Some((MfaLevel::Required, days)) => {
            steps.push(format!("You must add an MFA device within {days} days: {add}"));
        }
        Some((MfaLevel::Exempt, _)) => {}
        None if has_console => steps.push(format!("Please add an MFA device: {add}")),
        None => {}
    }
    if !has_console {
        steps.push(
            "Give the access key to the command line with `aws configure`, and to nothing that others can read."
                .to_owned(),
        );
    }
    let mut number = 0;
    for step in steps {
        if step.starts_with(' ') {
            lines.push(step);
        } else {
            number += 1;
            lines.push(format!("{number}. {step}"));
        }
    }
    let text: Vec<String> = lines.iter().map(|line| escape::text(line).into_owned()).collect();
    text.join("\n") + "\n"
}
