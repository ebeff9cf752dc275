# Makes all reports of this folder again from its rows: sh reports.sh
set -e
cd "$(dirname "$0")"
rm -f main/* methods/* dt2w/* minirocket/* lstm/* paper/* choices/* training/* weights/* levers/*
report() {
  folder=$1 rows=$2
  shift 2
  python -m sktime_tsd.benchmark report "rows/$rows.csv" --out "$folder" "$@"
}
report main inception_fcn --methods ce kd tsd kd+tsd kd_copies
report methods inception_fcn --methods ce kd kd+tsd dkd dkd+tsd fitnets fitnets+tsd \
  at at+tsd rkd rkd+tsd tsd kd_copies random_tsd
report dt2w inception_fcn --methods ce kd dt2w dt2w+tsd tsd
report minirocket minirocket
report lstm lstm
report paper paper
report choices choices
report training training
report weights weights
report levers levers
