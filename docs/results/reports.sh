# Makes all reports of this folder again from its rows: sh reports.sh
set -e
cd "$(dirname "$0")"
report="python -m sktime_tsd.benchmark report"
rm -f main/* methods/* choices/* training/* weights/* copies/* others/*
$report rows/inception_fcn.csv --out main --methods ce kd tsd kd+tsd kd_copies
$report rows/inception_fcn.csv --out methods
$report rows/choices.csv --out choices
$report rows/training.csv --out training
$report rows/weights.csv --out weights
