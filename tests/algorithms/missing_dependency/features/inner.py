import package_that_is_nowhere

value = package_that_is_nowhere.value
