//! The commands and their arguments.

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::commands::{broker, client, doctor, experiment, grade, hint, predict, reset, trace};
use crate::failure::{COULD_NOT, Failure, Result};
use crate::kit::Kit;
use crate::{screen, verify};

pub fn run() -> Result<u8> {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            crate::paint::say(&error.to_string());
            return Ok(0);
        }
        Err(error) => return Err(Failure { code: COULD_NOT, text: error.to_string() }),
    };
    let kit = Kit::find()?;
    let Some((name, args)) = matches.subcommand() else { return screen::open(&kit) };
    match name {
        "status" => grade::status(&kit, lab(args)),
        "grade" => grade::grade(&kit, lab(args), format(args)),
        "hint" => hint::hint(&kit, lab(args)),
        "predict" => predict::predict(&kit, lab(args)),
        "trace" => trace::trace(&kit, lab(args), args.get_one("step").copied()),
        "reset" => {
            reset::reset(&kit, lab(args), args.get_one("step").copied(), args.get_flag("yes"))
        }
        "broker" => broker::broker(&kit, &many(args, "mine"), &many(args, "rest")),
        "produce" | "consume" | "lag" => {
            client::client(&kit, name, &many(args, "mine"), &many(args, "rest"))
        }
        "experiment" => {
            let name = args.get_one::<String>("name").map_or("", String::as_str);
            experiment::experiment(&kit, name, &many(args, "mine"), &many(args, "rest"))
        }
        "doctor" => doctor::doctor(&kit),
        "verify" => verify::verify(&kit, lab(args), args.get_flag("write")),
        other => Err(Failure { code: COULD_NOT, text: format!("No such command: {other}.") }),
    }
}

fn lab(args: &ArgMatches) -> Option<&str> {
    args.try_get_one::<String>("lab").ok().flatten().map(String::as_str)
}

fn format(args: &ArgMatches) -> grade::Format {
    if args.get_flag("json") {
        grade::Format::Json
    } else if args.get_flag("junit") {
        grade::Format::Junit
    } else {
        grade::Format::Text
    }
}

fn many(args: &ArgMatches, name: &str) -> Vec<String> {
    args.get_many::<String>(name).unwrap_or_default().cloned().collect()
}

pub fn command() -> Command {
    let lab = || {
        Arg::new("lab").value_name("LAB").help("A lab's name or number, such as offset-log or 1")
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let step = |help: &'static str| {
        let number = clap::value_parser!(u32).range(1..);
        Arg::new("step").long("step").value_name("N").value_parser(number).help(help)
    };
    let mine = || {
        Arg::new("mine")
            .long("mine")
            .value_name("LABS")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .help("The labs that are yours, separated by commas, or all")
    };
    let rest = |name: &'static str, help: &'static str| {
        Arg::new("rest")
            .value_name(name)
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true)
            .help(help)
    };
    Command::new("cargo workshop")
        .bin_name("cargo workshop")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Opens the workshop: where you are, and the next thing to do. Graded on every save.")
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("status")
                .about("Where you are in every lab or in one, and the next thing to do")
                .arg(lab()),
        )
        .subcommand(
            Command::new("grade")
                .about("Grades a lab, or all of them; the exit code is 0 only when all of it is done")
                .arg(lab())
                .arg(flag("json", "For programs; described in labs/workshop/README.md").conflicts_with("junit"))
                .arg(flag("junit", "JUnit XML, for a course's or a CI's report")),
        )
        .subcommand(
            Command::new("hint")
                .about("A hint for the step at hand; asking again gives the next")
                .arg(lab()),
        )
        .subcommand(
            Command::new("predict")
                .about("Asks a lab's questions before you write code, then tells why")
                .arg(lab()),
        )
        .subcommand(
            Command::new("trace")
                .about("What your code did beside what was expected, and the rule at the first difference")
                .arg(lab())
                .arg(step("The transcripts of one step only")),
        )
        .subcommand(
            Command::new("reset")
                .about("Puts the starter back and keeps your work aside")
                .arg(lab().required(true))
                .arg(step("One step only"))
                .arg(flag("yes", "Do not ask").short('y')),
        )
        .subcommand(
            Command::new("broker")
                .about("Starts the broker; --mine puts your labs into it")
                .arg(mine())
                .arg(rest(
                    "SERVE ARGUMENTS",
                    "Handed on to `mini-broker serve`, such as --listen 127.0.0.1:9093",
                )),
        )
        .subcommand(
            Command::new("produce")
                .about("Writes lines to a topic; with --mine partitions your lab decides where each goes")
                .arg(mine())
                .arg(rest(
                    "PRODUCE ARGUMENTS",
                    "Handed on to `mini-broker produce`, such as --topic orders",
                )),
        )
        .subcommand(
            Command::new("consume")
                .about("Reads a topic; with --mine consumer-groups your lab plans for the group that it leads")
                .arg(mine())
                .arg(rest(
                    "CONSUME ARGUMENTS",
                    "Handed on to `mini-broker consume`, such as --topic orders --group plans",
                )),
        )
        .subcommand(
            Command::new("lag")
                .about("Watches how far behind groups are; with --mine lag your lab says what to make of it")
                .arg(mine())
                .arg(rest(
                    "LAG ARGUMENTS",
                    "Handed on to `mini-broker lag`, such as --group billing",
                )),
        )
        .subcommand(
            Command::new("experiment")
                .about("Something to watch through a real broker: order (lab 2), acks (lab 3), groups and scale (lab 4), lag (lab 5)")
                .arg(Arg::new("name").value_name("NAME").required(true).value_parser(["order", "acks", "groups", "scale", "lag"]).help("Which one"))
                .arg(mine())
                .arg(rest(
                    "ARGUMENTS",
                    "Handed on to `mini-broker experiment NAME`, such as --seed 8",
                )),
        )
        .subcommand(Command::new("doctor").about("What is missing on this machine, and what mends it"))
        .subcommand(
            Command::new("verify")
                .about("For authors: do labs, solutions, hints, rules and wrong solutions fit together?")
                .arg(lab())
                .arg(flag("write", "Make the starters from the solutions first")),
        )
}
