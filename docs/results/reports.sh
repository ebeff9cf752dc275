# Makes all reports of this folder again from its rows: sh reports.sh
set -e
cd "$(dirname "$0")"
rm -f main/* methods/* dt2w/* minirocket/* lstm/* paper/* choices/* training/* weights/* levers/*
report() {
  folder=$1 title=$2 rows=$3
  shift 3
  python -m sktime_tsd.benchmark report "rows/$rows.csv" --out "$folder" --title "$title" "$@"
}
report main "InceptionTime to FCN" inception_fcn --methods ce kd tsd kd+tsd kd_copies
report methods "All methods, with TSD and without" inception_fcn --methods ce kd kd+tsd dkd dkd+tsd fitnets fitnets+tsd \
  at at+tsd rkd rkd+tsd tsd kd_copies random_tsd
report dt2w "DT2W, with TSD and without" inception_fcn --methods ce kd dt2w dt2w+tsd tsd
report minirocket "MiniRocket to FCN" minirocket
report lstm "LSTM to LSTM" lstm
report paper "The paper's protocol" paper
report choices "Choices of the defaults" choices
report training "Learning rate and epochs" training
report weights "Weights of the other methods" weights
report levers "KD beside TSD" levers
