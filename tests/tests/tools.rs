//! What shells and `man` make of what trueup prints for them.

use trueup_tests::{binary::Workspace, programs, root};

#[test]
fn bash_completes_commands_and_options() {
    let workspace = Workspace::new();
    let complete = |words: &str, at: usize| {
        let script = format!(
            "trueup completions bash > completions && source ./completions && COMP_WORDS=({words}) && COMP_CWORD={at} \
             && _trueup trueup \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\" && printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        workspace
            .command("bash")
            .arg("-c")
            .arg(script)
            .run()
            .expect_exit(0)
            .stdout
    };
    assert_eq!(complete("trueup comp", 1), "completions\n");
    assert_eq!(complete("trueup fmt --ch", 2), "--check\n");
    assert_eq!(complete("trueup plan --require-approval any", 3), "any-change\n");
}

#[test]
fn zsh_and_fish_load_their_completions() {
    let workspace = Workspace::new();
    programs::need("zsh", "zsh");
    let script = "trueup completions zsh > _trueup && fpath=($PWD $fpath) && autoload -U compinit && compinit -u && \
                  autoload +X _trueup && whence -w _trueup && print $_comps[trueup]";
    let output = workspace.command("zsh").args("-f -c").arg(script).run().expect_exit(0);
    assert_eq!((&*output.stdout, &*output.stderr), ("_trueup: function\n_trueup\n", ""));
    programs::need("fish", "fish");
    let script = "trueup completions fish | source; complete --do-complete 'trueup comp'";
    let output = workspace.command("fish").arg("-c").arg(script).run().expect_exit(0);
    assert!(output.stdout.starts_with("completions\t"), "{}", output.render());
    assert_eq!(output.stderr, "");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let workspace = Workspace::new();
    workspace.trueup().args("man --out pages").run().expect_exit(0);
    let mut names: Vec<String> = std::fs::read_dir(workspace.path().join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in ["trueup.1", "trueup-plan.1", "trueup-fmt.1", "trueup-mfa-enroll.1"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
    programs::need("groff", "groff-base");
    for name in &names {
        let output = workspace
            .command("groff")
            .args("-Kutf8 -man -Tutf8 -ww -rHY=0 -P-cbou")
            .arg(format!("pages/{name}"))
            .run()
            .expect_exit(0);
        assert_eq!(output.stderr, "", "{name}");
        assert!(output.stdout.contains("SYNOPSIS"), "{name}");
    }
    let page = workspace
        .command("groff")
        .args("-Kutf8 -man -Tascii -P-cbou pages/trueup.1")
        .run()
        .stdout;
    assert!(
        page.contains("7         wrong account, or no usable credentials"),
        "{page}"
    );
    let first = workspace.trueup().args("man").run().expect_exit(0).stdout;
    assert_eq!(first, workspace.read("pages/trueup.1"));
}

#[test]
fn the_examples_are_in_canonical_form() {
    let workspace = Workspace::new();
    let mut run = workspace.trueup().args("fmt --check");
    for example in std::fs::read_dir(root().join("examples")).unwrap() {
        run = run.arg(example.unwrap().path());
    }
    let output = run.run();
    assert_eq!((output.code, &*output.stdout), (Some(0), ""), "{}", output.render());
}

#[test]
fn what_export_writes_is_in_canonical_form() {
    for example in ["first-account", "adopt/account", "drift"] {
        let workspace = Workspace::new();
        workspace.copy(&root().join("examples").join(example), "manifest");
        let live = "--live sandbox:account.json";
        let apply = workspace
            .trueup()
            .args("apply manifest -q --auto-approve --plain-credentials")
            .args(live);
        apply.run().expect_exit(0);
        let exported = workspace.trueup().args("export").args(live).run().expect_exit(0).stdout;
        let output = workspace.trueup().args("fmt --check --diff -").stdin(&exported).run();
        assert_eq!((output.code, &*output.stdout), (Some(0), ""), "{}", output.render());
    }
}
