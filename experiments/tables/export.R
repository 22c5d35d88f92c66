# Writes the tables of Debian's R packages as CSV: Rscript export.R FOLDER
folder <- commandArgs(TRUE)[1]

# The anomaly column is 1 for the rows of the classes named, 0 for the others. Unordered factors become
# one column a value; rows with a missing value are left out.
write_table <- function(name, frame, class, anomalies) {
  frame <- frame[stats::complete.cases(frame), , drop = FALSE]
  inputs <- frame[, setdiff(names(frame), class), drop = FALSE]
  columns <- lapply(names(inputs), function(column) {
    values <- inputs[[column]]
    if (is.numeric(values)) return(stats::setNames(data.frame(values), column))
    if (is.ordered(values)) return(stats::setNames(data.frame(as.integer(values)), column))
    values <- factor(values)
    one_hot <- sapply(levels(values), function(level) as.integer(values == level))
    stats::setNames(data.frame(one_hot), paste(column, levels(values), sep = "="))
  })
  table <- do.call(cbind, columns)
  table$anomaly <- as.integer(frame[[class]] %in% anomalies)
  utils::write.csv(table, file.path(folder, paste0(name, ".csv")), row.names = FALSE)
}

from <- function(package, name) {
  there <- new.env()
  utils::data(list = name, package = package, envir = there)
  there
}

write_table("spam", from("kernlab", "spam")$spam, "type", "spam")
write_table("musk", from("kernlab", "musk")$musk, "Class", "1")
write_table("ticdata", from("kernlab", "ticdata")$ticdata, "CARAVAN", "insurance")

cells <- from("mlbench", "BreastCancer")$BreastCancer
cells[2:10] <- lapply(cells[2:10], function(values) as.integer(as.character(values)))
write_table("cells", cells[-1], "Class", "malignant")
write_table("sonar", from("mlbench", "Sonar")$Sonar, "Class", "M")

write_table("credit", from("caret", "GermanCredit")$GermanCredit, "Class", "Bad")
segmentation <- from("caret", "segmentationData")$segmentationData
write_table("segmentation", segmentation[-(1:2)], "Class", "PS")
dhfr <- from("caret", "dhfr")$dhfr
write_table("dhfr", dhfr, "Y", "inactive")
mdrr <- from("caret", "mdrr")
write_table("mdrr", cbind(mdrr$mdrrDescr, Y = mdrr$mdrrClass), "Y", "Inactive")

write_table("crabs", MASS::crabs[-(2:3)], "sp", "O")
births <- MASS::birthwt[-10]
births$race <- factor(births$race)
write_table("births", births, "low", 1)
