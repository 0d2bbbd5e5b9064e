# shellcheck shell=bash
# Reads the test runners' own summaries out of their output.

PASSED=0 FAILED=0 SKIPPED=0

# plain FILE: without colours.
plain() { sed 's/\x1b\[[0-9;]*m//g' -- "$1"; }

# add PATTERN NUMBERS_TEXT: sums the numbers that stand before the words.
number_before() {
  local sum=0 number
  while read -r number; do
    sum=$((sum + number))
  done < <(grep -oE "[0-9]+ ($1)\b" <<<"$2" | cut -d' ' -f1)
  printf '%s\n' "$sum"
}

# summary_lines RUNNER FILE
summary_lines() {
  case $1 in
    nextest) plain "$2" | grep -E '^ *Summary \[' ;;
    cargo-test) plain "$2" | grep -E '^test result: ' ;;
    playwright) plain "$2" | grep -E '^ +[0-9]+ (passed|failed|flaky|skipped|did not run|interrupted|timed out)\b' ;;
  esac
}

# count RUNNER FILE: adds the file's numbers to the totals and prints the lines they came from. False
# when the runner printed no summary, that is, when it did not get to the end.
count() {
  local lines
  lines=$(summary_lines "$1" "$2") || {
    printf '%s: no summary\n' "$1"
    return 1
  }
  printf '%s:\n%s\n' "$1" "$lines"
  # In brackets stand shares of the numbers before them.
  lines=$(printf '%s\n' "$lines" | sed 's/([^)]*)//g')
  PASSED=$((PASSED + $(number_before 'passed|flaky' "$lines")))
  FAILED=$((FAILED + $(number_before 'failed|timed out|exec failed|interrupted' "$lines")))
  SKIPPED=$((SKIPPED + $(number_before 'skipped|ignored|did not run' "$lines")))
}
