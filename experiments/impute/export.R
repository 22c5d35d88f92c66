# Writes tables of R packages as CSV: Rscript export.R FOLDER
folder <- commandArgs(TRUE)[1]

write_table <- function(name, frame) {
  frame <- frame[stats::complete.cases(frame), sapply(frame, is.numeric), drop = FALSE]
  utils::write.csv(frame, file.path(folder, paste0(name, ".csv")), row.names = FALSE)
}

there <- new.env()
utils::data(list = "spam", package = "kernlab", envir = there)
set.seed(1)
write_table("spam", there$spam[sample(nrow(there$spam), 1000), ])
write_table("boston", MASS::Boston)
write_table("crabs", MASS::crabs[-3])
write_table("pima", rbind(MASS::Pima.tr, MASS::Pima.te))
write_table("quakes", datasets::quakes)
