"""`meshplan completion`: the script that a shell needs to complete commands."""

import click


@click.command("completion", short_help="Print the script that completes commands in your shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the script that completes commands and options in your shell.

    \b
    bash   eval "$(meshplan completion bash)"           in ~/.bashrc
    zsh    eval "$(meshplan completion zsh)"            in ~/.zshrc
    fish   meshplan completion fish > ~/.config/fish/completions/meshplan.fish
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - only needed here

    from meshplan.cli import cli  # noqa: PLC0415 - the group imports this module

    script = get_completion_class(shell)
    assert script is not None  # noqa: S101 - click knows the three
    click.echo(script(cli, {}, "meshplan", "_MESHPLAN_COMPLETE").source())
    return 0
