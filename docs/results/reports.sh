# Makes the reports from the rows in rows.tar.xz: sh reports.sh
# The main report is written to main/, the others and the rows to docs/_build/results (not in version control).
# To pack changed rows again, in that folder: tar -cJf ../../results/rows.tar.xz --sort=name *.csv
set -e
cd "$(dirname "$0")"
build=../_build/results
mkdir -p "$build"
python -m tarfile -e rows.tar.xz "$build"
report() {
  folder=$1 title=$2 rows=$3
  shift 3
  rm -rf "$folder"
  python -m sktime_tsd.benchmark report "$build/$rows.csv" --out "$folder" --title "$title" "$@"
}
report main "InceptionTime to FCN" inception_fcn --methods ce kd tsd kd+tsd kd_copies
report "$build/methods" "All methods, with TSD and without" inception_fcn --methods ce kd kd+tsd dkd dkd+tsd \
  fitnets fitnets+tsd at at+tsd rkd rkd+tsd tsd kd_copies random_tsd
report "$build/dt2w" "DT2W, with TSD and without" inception_fcn --methods ce kd dt2w dt2w+tsd tsd
report "$build/minirocket" "MiniRocket to FCN" minirocket
report "$build/lstm" "LSTM to LSTM" lstm
report "$build/paper" "The paper's protocol" paper
report "$build/choices" "Choices of the defaults" choices
report "$build/training" "Learning rate and epochs" training
report "$build/weights" "Weights of the other methods" weights
report "$build/levers" "KD beside TSD" levers
report "$build/smoothing" "Smoothing of votes" smoothing
report "$build/votes" "Teachers that count votes" votes
report "$build/votes_test" "Teachers that count votes, on test series" votes_test
report "$build/unlabelled" "Series without labels" unlabelled
report "$build/reasons" "Reasons under explainers that nobody trained on" reasons
report "$build/shortcut" "A shortcut in the training series" shortcut
report "$build/known_evidence" "Known evidence" known_evidence
