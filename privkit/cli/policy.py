"""`privkit policy`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from privkit.cli import _options, _output
from privkit.cli._lazy import bare


@click.group("policy", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List, show and check policies."""
    bare(context)


@command.command("list")
def list_() -> None:
    """List the built-in policies."""
    from privkit.deid.policies import load_policy, policy_names
    from privkit.report import terminal

    terminal.console(stderr=False).print(terminal.policy_table([load_policy(name) for name in policy_names()]))


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print a built-in policy as YAML with its comments, to start one of your own from."""
    from privkit.deid.policies import policy_text

    click.echo(policy_text(name), nl=False)


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from privkit.model.policy import Policy

    _output.print_json(json.dumps(Policy.model_json_schema(), indent=2))


@command.command("check")
@click.argument("file", type=_options.PATH)
def check(file: Path) -> None:
    """Say whether FILE is a valid policy, or on which line it is not."""
    from privkit.model.canonical import sha256_of
    from privkit.model.policy import Policy
    from privkit.model.yamlfile import read_yaml

    policy = read_yaml(file, Policy)
    click.echo(f"{file}: valid; name {policy.name}, sha256 {sha256_of(policy)}")
